package teams_test

import (
	"strings"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// A group chat is a place of approvers and on-call, too. There a client may give a message's number another spelling,
// which a channel's clicks may not: RefByMessage does not know it, so it is adopted and drawn over.
func TestInAGroupChatAMessageHasOneName(t *testing.T) {
	b := newBench(t, nil)
	const group = "19:incident@thread.v2"
	data := object{"r": "abc234", "k": "card", "m": code("abc234", group)}
	for _, alias := range []string{"01700000000000", "1700000000000%20", "1700000000000.0", "+1700000000000", "x/../1700000000000"} {
		with := in(group, "groupChat")
		with["replyToId"] = alias
		if ref := b.clicksWith(t, data, with); ref != (pim.MessageRef{}) {
			t.Errorf("%q is taken as a message: %+v", alias, ref)
		}
	}
}

// What history says of a request in the personal chat becomes one of its cards: the answer is drawn over, and each one
// is a reference that is kept for ever and a call whenever the request turns.
func TestAnAnswerOfHistoryStaysOne(t *testing.T) {
	s := newEndStage(t)
	s.asksFor("mde-admin", "MDE Administrator")
	id := s.bot.Newest(s.Person("alice").Account).ID
	dm, err := s.Server.Place("alice", "dm")
	if err != nil {
		t.Fatal(err)
	}
	refs := func() (n int) {
		s.bot.View(func(tx *store.Tx) error {
			all, err := tx.Refs(id)
			for _, r := range all {
				if r.Conversation == pim.DirectTo(s.Person("alice").Account) {
					n++
				}
			}
			return err
		})
		return n
	}
	before := refs()
	for range 10 {
		s.until("said", func() bool { return s.Say(t.Context(), "alice", "history "+string(id)) == nil })
	}
	s.until("answered", func() bool { return len(s.Messages(dm.ID)) >= 12 })
	s.until("drawn", func() bool { return len(s.Messages(dm.ID)) >= 12 && refs() > 0 })
	settleDM(s)
	told := 0
	for _, m := range s.Messages(dm.ID) {
		if strings.Contains(string(asJSON(m.Cards)), `" asked for"`) {
			told++
		}
	}
	if told == 0 {
		t.Error("no message tells the history any more")
	}
	if refs()-before > 3 {
		t.Errorf("%d references of one request in one chat", refs())
	}
}

func settleDM(s *endStage) {
	s.until("all cards are drawn", func() bool {
		waits := false
		s.bot.View(func(tx *store.Tx) error {
			all, err := tx.Effects()
			for _, e := range all {
				waits = waits || strings.HasPrefix(e.Key, "card|")
			}
			return err
		})
		return !waits
	})
}
