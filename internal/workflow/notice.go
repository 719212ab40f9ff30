package workflow

import (
	"context"
	"slices"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// notice is an alarm as on-call was told of it: its message stays, and says later
// who did it, who has taken note of it, and that it is over.
type notice struct {
	pim.Alarm

	Role string      `json:"role,omitempty"`
	Refs []store.Ref `json:"refs,omitempty"`
}

// noticesKept is where they stand, in one record: there are few, and those that are
// open are looked at together.
const noticesKept = "alarms"

// What is over is kept for a day, in which its messages are rewritten, and never more
// of it than mostClosed.
const (
	closedFor  = 24 * time.Hour
	mostClosed = 200
)

func noticesIn(tx *store.Tx) (all []notice, err error) {
	_, err = tx.Meta(noticesKept, &all)
	return all, err
}

// OpenAlarms are those that are not over.
func OpenAlarms(tx *store.Tx) (open []pim.Alarm, err error) {
	all, err := noticesIn(tx)
	for _, n := range all {
		if n.Open() {
			open = append(open, n.Alarm)
		}
	}
	return open, err
}

// unnoticed are the open alarms that nobody has taken note of.
func unnoticed(tx *store.Tx) ([]pim.Alarm, error) {
	open, err := OpenAlarms(tx)
	return slices.DeleteFunc(open, func(a pim.Alarm) bool { return a.Acknowledged != nil }), err
}

// keepNotices stores them, without those that are over for long.
func keepNotices(tx *store.Tx, all []notice) error {
	closed := 0
	var kept []notice
	for _, n := range slices.Backward(all) { // the newest first
		last := n.Over
		if !n.Lasting() {
			last = n.Since
		}
		if !n.Open() {
			if closed++; closed > mostClosed || tx.Now().Sub(last) > closedFor {
				continue
			}
		}
		if n.ID == "" {
			n.ID = string(tx.NewRequestID()) // from a time when they had none
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	return tx.PutMeta(noticesKept, kept)
}

// raise adds an alarm, has on-call told of it, and who did it looked for.
func (s *Service) raise(tx *store.Tx, all []notice, a pim.Alarm, role pim.Role) ([]notice, error) {
	a.ID, a.Sought = string(tx.NewRequestID()), tx.Now()
	n := notice{Alarm: a, Role: role.Name}
	text := string(a.Kind)
	if a.What != "" {
		text += ": " + a.What
	}
	if err := s.sayAlarm(tx, &n, pim.EventAlarm, text); err != nil {
		return nil, err
	}
	return append(all, n), putEvidence(tx, a.Group)
}

// raiseAlone raises what is no more than told.
func (s *Service) raiseAlone(tx *store.Tx, a pim.Alarm, role pim.Role) error {
	all, err := noticesIn(tx)
	if err != nil {
		return err
	}
	if all, err = s.raise(tx, all, a, role); err != nil {
		return err
	}
	return keepNotices(tx, all)
}

// sayAlarm writes an event of an alarm, and has its messages drawn, and the boards
// that count it.
func (s *Service) sayAlarm(tx *store.Tx, n *notice, kind pim.EventKind, text string) error {
	e := pim.Event{Kind: kind, Role: n.Role, Group: n.Group, Person: n.Person, Chat: pim.System, Text: text}
	if by := n.Acknowledged; kind == pim.EventAcknowledged {
		e.By, e.Chat = by.By, chatOf(by.By)
	}
	if _, err := tx.Append(e); err != nil {
		return err
	}
	role, _ := s.cfg.Roles.Named(n.Role)
	places := slices.Clone(role.Notify)
	for _, ref := range n.Refs {
		if !slices.Contains(places, ref.Conversation) {
			places = append(places, ref.Conversation)
		}
	}
	for _, to := range places {
		if s.cfg.Messengers[to.Chat] == nil {
			continue
		}
		if err := tx.PutEffect(alarmEffect(n.ID, to)); err != nil {
			return err
		}
	}
	return s.turnBoardsOf(tx, role)
}

// alarm posts or rewrites the message of one alarm in one place, from what is known
// of it then.
func (s *Service) alarm(ctx context.Context, e store.Effect) (result, error) {
	id, err := dataOf[string](e)
	if err != nil {
		return result{}, err
	}
	messenger := s.cfg.Messengers[e.To.Chat]
	if messenger == nil {
		return result{park: "This chat is not set up any more."}, nil
	}
	var n *notice
	var all []notice
	err = s.cfg.Store.View(func(tx *store.Tx) (err error) {
		all, err = noticesIn(tx)
		n = findNotice(all, id)
		return err
	})
	if err != nil || n == nil {
		return result{}, err // one that was over for a day has nobody to tell any more
	}
	role, known := s.cfg.Roles.Named(n.Role)
	if !known {
		role.Name = n.Role
	}
	drawn := card.AlarmFor(role, n.Alarm)
	ref := store.Ref{Hash: hashOf(drawn)}
	i := slices.IndexFunc(n.Refs, func(r store.Ref) bool { return r.Conversation.String() == e.To.String() })
	switch {
	case i < 0:
		if ref.MessageRef, err = s.postAlarm(ctx, messenger, e.To, callsFor(all, n), drawn); err != nil {
			return givenUp(err)
		}
	case n.Refs[i].Hash == ref.Hash || n.Refs[i].Hash == goneCard:
		return result{}, nil
	default:
		ref.MessageRef = n.Refs[i].MessageRef
		switch err := messenger.Update(ctx, ref.MessageRef, drawn); {
		case pim.IsKind(err, pim.NotFound):
			ref.Hash = goneCard // whoever deleted it does not get it again
		case err != nil:
			return givenUp(err)
		}
	}
	return result{apply: func(tx *store.Tx) error { return noteAlarmRef(tx, id, ref) }}, nil
}

// callsFor reports whether an alarm calls whoever is on call: not where it is over or acknowledged, nor where it is one of
// many of its kind and group that came at once, of which the first have called.
func callsFor(all []notice, n *notice) bool {
	if !n.Over.IsZero() || n.Acknowledged != nil {
		return false
	}
	before := 0
	for i := range all {
		if all[i].ID == n.ID {
			break
		}
		if all[i].Group == n.Group && all[i].Kind == n.Kind && n.Since.Sub(all[i].Since).Abs() < manyWithin {
			before++
		}
	}
	return before < manyMost
}

// postAlarm posts the first message of an alarm, which alone mentions who is on call.
func (s *Service) postAlarm(ctx context.Context, m Messenger, to pim.Conversation, call bool, drawn card.Card) (pim.MessageRef, error) {
	if call {
		if err := s.callOnCall(to, &drawn); err != nil {
			return pim.MessageRef{}, err
		}
	}
	ref, err := m.Post(ctx, to, drawn)
	return placed(ref, to), err
}

func findNotice(all []notice, id string) *notice {
	if i := slices.IndexFunc(all, func(n notice) bool { return n.ID == id && id != "" }); i >= 0 {
		return &all[i]
	}
	return nil
}

// noteAlarmRef stores which message of an alarm shows what.
func noteAlarmRef(tx *store.Tx, id string, ref store.Ref) error {
	all, err := noticesIn(tx)
	n := findNotice(all, id)
	if err != nil || n == nil {
		return err
	}
	n.Refs = slices.DeleteFunc(n.Refs, func(r store.Ref) bool { return r.Conversation.String() == ref.Conversation.String() })
	n.Refs = append(n.Refs, ref)
	return keepNotices(tx, all)
}

// takeDoers says of a group's alarms who did it, as the audit log has it. What was
// sought for longer than most is sought no more. Nobody takes note of what they did
// themselves: of what is acknowledged, it was looked whether somebody has.
func (s *Service) takeDoers(tx *store.Tx, g pim.GroupID, log []pim.AuditEntry, own map[string]looked, most time.Duration) error {
	all, err := noticesIn(tx)
	if err != nil {
		return err
	}
	changed := false
	for i := range all {
		n := &all[i]
		if n.Sought.IsZero() || n.Group != g {
			continue
		}
		text := "Entra's audit log does not say who did it."
		if done := n.DoneBy(log, tx.Now().Sub(n.Sought) >= auditComplete); len(done) > 0 {
			known := n.By
			n.By, text = done, evidenceText(done)
			if n.quiet() && !slices.Equal(own[n.ID].doers, n.concerned()) {
				n.By = known
				continue // it was acknowledged at this moment: the next reading looks by whom
			}
		} else if tx.Now().Sub(n.Sought) < most {
			continue
		} else if most == evidenceUnread {
			n.Unread, text = true, "Entra's audit log could not be read."
		}
		n.Sought, changed = time.Time{}, true
		if err := s.sayAlarm(tx, n, pim.EventEvidence, string(n.Kind)+": "+text); err != nil {
			return err
		}
		if err := s.takeBackNote(tx, n, own[n.ID].same); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return keepNotices(tx, all)
}
