package teams_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/teams"
	"elevate/internal/card"
	"elevate/internal/pim"
)

func inChannel(with object) object {
	return typed(change(object{
		"text": "status", "conversation": object{"id": channelID + ";messageid=7", "conversationType": "channel", "tenantId": tenant},
	}, with))
}

func TestWhereAWordCameFromIsKeptOnce(t *testing.T) {
	b := newBench(t, nil)
	b.send(inChannel(object{"id": "1"}))
	here, person := b.refs.at(channelID), b.refs.at(teams.PersonKey(alice))
	if here.ServiceURL != service || here.Conversation != channelID || here.Kind != "channel" {
		t.Errorf("kept %+v", here)
	}
	if person.MRI != aliceMRI || person.Met != channelID || person.Conversation != "" {
		t.Errorf("kept %+v", person)
	}
	b.send(typed(object{"id": "2"}))
	if got := b.refs.at(teams.PersonKey(alice)); got.Conversation != personal || got.Met != personal {
		t.Errorf("kept %+v", got)
	}
	wrote := b.refs.wrote
	for i := range 5 {
		b.send(inChannel(object{"id": fmt.Sprint("c", i), "conversation": object{"id": fmt.Sprint(channelID, ";messageid=", i), "conversationType": "channel", "tenantId": tenant}}))
		b.send(typed(object{"id": fmt.Sprint("p", i)}))
	}
	if b.refs.wrote != wrote {
		t.Errorf("wrote %d times what was known", b.refs.wrote-wrote)
	}
	b.handler.Close()
}

func TestAConversationThatShutIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.knows(nil)
		b.net.on("POST activities", answer(403, `{"error":{"code":"ConversationBlockedByUser"}}`))
		to := pim.DirectTo(aliceAccount)
		for range 3 {
			if _, err := b.client.Post(t.Context(), to, hello); !pim.IsKind(err, pim.Forbidden) || !strings.Contains(pim.Explain(err).Message, "blocked") {
				t.Errorf("%v", err)
			}
		}
		if n := len(b.net.written()); n != 1 {
			t.Errorf("tried %d times", n)
		}
		b.net.on("POST activities", answer(201, `{"id":"m2"}`))
		b.send(typed(nil)) // a word from there opens it
		mustPost(t, b, to)
		b.handler.Close()
	})
}

// The refusal arrives after the word that opened the conversation again.
func TestALateRefusalShutsNoConversationThatOpenedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.knows(nil)
		to := pim.DirectTo(aliceAccount)
		b.net.on("POST activities", answer(403, `{"error":{"code":"ConversationBlockedByUser"}}`))
		if _, err := b.client.Post(t.Context(), to, hello); !pim.IsKind(err, pim.Forbidden) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour) // it is tried again
		b.net.on("POST activities", func(call) *answered {
			b.refs.open(teams.PersonKey(alice))
			return reply(403, `{"error":{"code":"ConversationBlockedByUser"}}`)
		})
		if _, err := b.client.Post(t.Context(), to, hello); !pim.IsKind(err, pim.Forbidden) {
			t.Error(err)
		}
		if got := b.refs.at(teams.PersonKey(alice)); got.Shut != "" {
			t.Errorf("kept %+v", got)
		}
		b.handler.Close()
	})
}

// Which message it is may be a client's word, so that its refusal says nothing of
// the conversation.
func TestARefusedRewriteShutsNoConversation(t *testing.T) {
	for _, code := range []string{
		"ForbiddenOperationException", "NotEnoughPermissions", "ConversationNotFound", "Forbidden",
		"BotNotInConversationRoster", "BotDisabledByAdmin", "MessageWritesBlocked",
	} {
		t.Run(code, func(t *testing.T) {
			b := newBench(t, nil)
			b.net.on("PUT", answer(403, `{"error":{"code":"`+code+`"}}`))
			ref := pim.MessageRef{Conversation: general, ID: "m-named", Channel: channelID + ";messageid=1"}
			if err := b.client.Update(t.Context(), ref, hello); !pim.IsKind(err, pim.Forbidden) {
				t.Errorf("%v", err)
			}
			if _, err := b.client.Post(t.Context(), general, hello); err != nil {
				t.Errorf("posting afterwards: %v", err)
			}
		})
	}
}

func TestTheBotComesAndGoes(t *testing.T) {
	gone := object{"type": "installationUpdate", "action": "remove", "text": nil}
	b := newBench(t, nil)
	b.send(typed(object{"type": "installationUpdate", "action": "add", "id": "1", "text": nil}))
	b.handler.Close()
	if b.refs.at(teams.PersonKey(alice)).Conversation != personal {
		t.Errorf("kept %+v", b.refs.of)
	}
	b.send(typed(change(gone, object{"id": "2"})))
	if got := b.refs.at(teams.PersonKey(alice)); got.Shut == "" {
		t.Errorf("kept %+v", got)
	}
	before := len(b.net.written())
	if _, err := b.client.Post(t.Context(), pim.DirectTo(aliceAccount), hello); !pim.IsKind(err, pim.Forbidden) || len(b.net.written()) != before {
		t.Errorf("posted all the same: %v", err)
	}
}

func TestWhatCouldNotBeKeptIsSaidAgain(t *testing.T) {
	b := newBench(t, nil)
	b.refs.err = errors.New("the disk is full")
	add := typed(object{"type": "installationUpdate", "action": "add", "text": nil})
	if w := b.send(add); w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", w.Code)
	}
	b.refs.err = nil
	if w := b.send(add); w.Code != http.StatusOK || b.refs.wrote == 0 {
		t.Errorf("the second time %d", w.Code)
	}
}

// page is one page of a roster.
func page(next string, members ...any) *answered {
	return reply(200, string(asJSON(object{"members": members, "continuationToken": next})))
}

func TestARosterIsReadToItsEnd(t *testing.T) {
	b := newBench(t, nil)
	b.net.on("GET pagedmembers", func(c call) *answered {
		n := 0
		_, _ = fmt.Sscanf(c.query, "continuationToken=page%d", &n)
		if n == 5 {
			return page("", object{"id": "29:last", "objectId": strings.ToUpper(alice)})
		}
		return page(fmt.Sprint("page", n+1), object{"id": fmt.Sprint("29:", n), "aadObjectId": fmt.Sprint("someone-", n)}, object{"id": "29:anonymous"})
	})
	what := hello
	what.Request, what.Personal = "abc234", []pim.ChatAccount{aliceAccount, {Chat: pim.Teams, Workspace: tenant, User: "someone-2"}, {Chat: pim.Teams, Workspace: tenant, User: "not-here"}, {Chat: pim.Slack, User: "U0"}}
	for range 3 {
		if _, err := b.client.Post(t.Context(), general, what); err != nil {
			t.Fatal(err)
		}
	}
	reads := slices.DeleteFunc(b.net.to(connector), func(c call) bool { return c.method != http.MethodGet })
	if len(reads) != 6 {
		t.Errorf("read %d pages for three cards, want 6", len(reads))
	}
	for _, c := range b.net.written() {
		if sent := string(asJSON(c.body)); !strings.Contains(sent, `"userIds":["29:2","29:last"]`) {
			t.Errorf("sent %s", sent)
		}
	}
}

func TestARosterThatDoesNotEndHoldsNoCardBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, row := range map[string]struct {
			next func(int) string
			most int
		}{
			"the same page again": {func(int) string { return "again" }, 2}, "always another": {func(n int) string { return fmt.Sprint(n) }, 200},
		} {
			b := newBench(t, nil)
			pages := 0
			b.net.on("GET pagedmembers", func(call) *answered { pages++; return page(row.next(pages)) })
			what := hello
			what.Request, what.Personal = "abc234", []pim.ChatAccount{aliceAccount}
			if _, err := b.client.Post(t.Context(), general, what); err != nil || pages > row.most {
				t.Errorf("%s: %v after %d pages", name, err, pages)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestWhoMayNotUseElevate(t *testing.T) {
	member := func(with object) string {
		return string(asJSON(change(object{"id": aliceMRI, "aadObjectId": alice, "tenantId": tenant, "userRole": "user"}, with)))
	}
	for name, row := range map[string]struct {
		status int
		body   string
		kind   pim.Kind
	}{
		"Alice":                      {200, member(nil), ""},
		"an owner":                   {200, member(object{"userRole": "owner"}), ""},
		"a guest":                    {200, member(object{"userRole": "guest"}), pim.Forbidden},
		"anonymous":                  {200, member(object{"userRole": "anonymous"}), pim.Forbidden},
		"of another tenant":          {200, member(object{"tenantId": "t2"}), pim.Forbidden},
		"a guest by the name":        {200, member(object{"userPrincipalName": "a_x.com#EXT#@y.com"}), pim.Forbidden},
		"of no tenant":               {200, member(object{"tenantId": nil}), pim.Unavailable},
		"of no kind":                 {200, member(object{"userRole": nil}), pim.Unavailable},
		"somebody else":              {200, member(object{"aadObjectId": "else"}), pim.Forbidden},
		"gone":                       {404, `{"error":{"code":"MemberNotFoundInConversation"}}`, pim.Forbidden},
		"the bot was removed":        {403, `{"error":{"code":"BotNotInConversationRoster"}}`, pim.Administered},
		"a code nobody has heard of": {403, `{"error":{"code":"Xyzzy"}}`, pim.Administered},
		"the conversation is gone":   {404, `{"error":{"code":"ConversationNotFound"}}`, pim.Administered},
		"Teams is down":              {502, ``, pim.Unavailable},
		"an answer with nothing in":  {200, `{}`, pim.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.knows(nil)
			b.net.on("GET members", answer(row.status, row.body))
			err := b.client.Account(t.Context(), aliceAccount)
			if (err == nil) != (row.kind == "") || err != nil && !pim.IsKind(err, row.kind) {
				t.Errorf("%v", err)
			}
			// In a message: told so, and the workflow is not.
			b.service.answer.Card = &card.Card{Fallback: "x"}
			w := b.send(typed(nil))
			if w.Code != http.StatusOK || (b.service.told() > 0) != (row.kind == "") {
				t.Errorf("answered %d, told %d times", w.Code, b.service.told())
			}
		})
	}
}

func TestWhoMayNotUseElevateIsToldSoWhereTheySaidIt(t *testing.T) {
	for name, row := range map[string]struct{ tenant, role, said string }{
		"a guest":                 {tenant, "guest", "Guests of the tenant cannot use Elevate"},
		"of another organisation": {"t2", "user", "other organisations cannot use Elevate"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.net.on("GET members", answer(200, string(asJSON(object{"id": aliceMRI, "aadObjectId": alice, "tenantId": row.tenant, "userRole": row.role}))))
			group := object{"id": "19:incident@thread.v2", "conversationType": "groupChat", "tenantId": tenant}
			if w := b.send(typed(object{"conversation": group})); w.Code != http.StatusOK || b.service.told() != 0 {
				t.Errorf("answered %d, told %d times", w.Code, b.service.told())
			}
			b.handler.Close()
			written := b.net.written()
			if len(written) != 1 || !strings.Contains(written[0].path, "19:incident@thread.v2") {
				t.Fatalf("written %+v", written)
			}
			if said, _ := written[0].body["text"].(string); !strings.Contains(said, row.said) || strings.Contains(said, "Add Elevate") {
				t.Errorf("said %q", said)
			}
		})
	}
}
