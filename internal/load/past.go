package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// past is a history to store: so many ended requests, and whose each is.
type past struct {
	requests int
	of       func(i int) (who int)
}

// before is how long ago the newest of them ended: how often somebody may ask counts those of the last hour.
const before = 3 * time.Hour

// fill stores the history, a second between two requests. The sink is told all of it, so that who opens the file next
// has nothing to tell.
func (p past) fill(ctx context.Context, f files) error {
	db, err := f.openWith(io.Discard)
	if err != nil {
		return err
	}
	err = inPieces(ctx, db, p.requests, p.put)
	return errors.Join(err, db.Close())
}

// put stores the i-th request with all that its life left in the file.
func (p past) put(tx *store.Tx, i int) error {
	r := p.request(i, tx.Now())
	if err := tx.PutRequest(r); err != nil {
		return err
	}
	for _, kind := range []pim.EventKind{pim.EventRequested, pim.EventSubmitted, pim.EventDecided, pim.EventConfirmed, pim.EventEnded} {
		e := pim.Event{Kind: kind, Request: r.ID, At: r.Created, Role: r.Role, Group: r.Group, By: r.Requester, Chat: pim.Slack, PIM: r.Copy.ID}
		if _, err := tx.Append(e); err != nil {
			return err
		}
	}
	card := pim.MessageRef{
		Conversation: pim.Conversation{Chat: pim.Slack, Workspace: team, ID: approvals}, Channel: approvals, ID: fmt.Sprintf("1700000000.%06d", i),
	}
	return tx.PutRef(r.ID, store.Ref{Audience: "approvers", MessageRef: card})
}

func (p past) request(i int, now time.Time) pim.Request {
	n := p.of(i)
	role, who := roles()[i%roleCount], pim.Actor{Person: person(n), Account: account(n), Name: name(n)}
	created := now.Add(-before - time.Duration(p.requests-i)*time.Second)
	r := pim.Request{
		ID: pim.RequestID(fmt.Sprintf("%06x", i)), Role: role.Name, Group: role.Group, Requester: who, Principal: who.Person, Chat: pim.Slack,
		Asked: pim.Asked{Duration: time.Hour, Reason: "isolating WS-042 after the alert of this morning"}, State: pim.Ended, Created: created,
		Submitted: created, MemberSince: created, Ends: created.Add(time.Hour), EndedAt: created.Add(time.Hour), Ending: pim.Expired,
	}
	r.Copy = pim.Copy{
		ID: fmt.Sprintf("00000000-aaaa-4bbb-8ccc-%012x", i), Status: "Provisioned", Principal: who.Person, Group: role.Group, Access: pim.Member,
		Created: created, Justification: pim.Mark(r.Asked.Reason, r.ID), Duration: time.Hour,
	}
	return r
}
