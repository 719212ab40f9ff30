package workflow

import (
	"context"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// Two reads of the membership this far apart have to agree that it is gone.
const absenceApart = 30 * time.Second

// lingers is how long a membership that PIM no longer holds may be lag; after
// that the person has it by something else.
const lingers = 5 * time.Minute

// endlessEvery is how often an access without an end is read.
const endlessEvery = 10 * time.Minute

// endSkew is how far PIM's clock may be ahead of ours at an end.
const endSkew = time.Minute

// confirm reads an active access back at its end: gone is what PIM's schedule
// instance and two reads of the membership agree on.
func (s *Service) confirm(ctx context.Context, e store.Effect) (result, error) {
	r, _, err := s.actorOf(e)
	if err != nil {
		return result{}, err
	}
	if r.State != pim.Active {
		return result{}, nil
	}
	key := pim.Membership{Group: r.Group, Principal: r.Principal}
	answer, err := s.cfg.Directory.Look(ctx, pim.Question{Requests: []string{r.Copy.ID}, Access: []pim.Membership{key}})
	if err != nil {
		return result{}, err
	}
	access, read := answer.Access[key]
	if !read {
		return result{again: 5 * time.Second}, throttledIn(answer.Failed)
	}
	c, ok := answer.Requests[r.Copy.ID]
	if !ok {
		c = r.Copy
	}
	return s.judgeEnd(r, c, access)
}

// judgeEnd decides what one read of the access means.
func (s *Service) judgeEnd(r pim.Request, c pim.Copy, access pim.Access) (result, error) {
	now := s.cfg.Now()
	mine, other := instancesOf(r, access, now)
	switch {
	case mine != nil:
		return s.stillActive(r, *mine, now)
	case !access.Member && !r.Absent.IsZero() && now.Sub(r.Absent) >= absenceApart:
		return s.ended(r, c, "")
	case access.Member && other != "" && !r.Gone.IsZero():
		return s.ended(r, c, other)
	case access.Member && !r.Gone.IsZero() && now.Sub(r.Gone) >= lingers:
		return s.ended(r, c, "a membership that PIM does not know")
	}
	return s.noteAbsence(r, access)
}

// noteAbsence remembers when PIM's instance and when the membership were first
// seen gone. A membership that is back starts anew.
func (s *Service) noteAbsence(r pim.Request, access pim.Access) (result, error) {
	again := result{again: 2 * time.Second}
	if !access.Member {
		// The two reads that count; those between them could not end it.
		again.again = absenceApart
		if !r.Absent.IsZero() {
			again.again = max(absenceApart-s.cfg.Now().Sub(r.Absent), time.Millisecond)
		}
	}
	if !r.Gone.IsZero() && access.Member == r.Absent.IsZero() {
		return again, nil
	}
	err := s.changeActive(r.ID, func(tx *store.Tx, fresh *pim.Request) error {
		if fresh.Gone.IsZero() {
			fresh.Gone = tx.Now()
		}
		fresh.Absent = time.Time{}
		if !access.Member {
			fresh.Absent = tx.Now()
		}
		return tx.PutRequest(*fresh)
	})
	return again, err
}

// changeActive changes a request if it is still active.
func (s *Service) changeActive(id pim.RequestID, change func(*store.Tx, *pim.Request) error) error {
	return s.update(func(tx *store.Tx) error {
		r, err := tx.Request(id)
		if err != nil || r.State != pim.Active {
			return err
		}
		return change(tx, &r)
	})
}

// stillActive forgets an absence and waits for the end that PIM holds.
func (s *Service) stillActive(r pim.Request, i pim.Instance, now time.Time) (result, error) {
	moved := !i.End.IsZero() && !i.End.Equal(r.Ends)
	if !r.Gone.IsZero() || moved {
		err := s.changeActive(r.ID, func(tx *store.Tx, fresh *pim.Request) error {
			fresh.Gone, fresh.Absent = time.Time{}, time.Time{}
			if !moved {
				return tx.PutRequest(*fresh)
			}
			fresh.Ends = i.End
			e := pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: fresh.State, Text: "PIM moved the end to " + i.End.UTC().Format(time.RFC3339)}
			if err := s.record(tx, fresh, e); err != nil {
				return err
			}
			if err := putEnding(tx, fresh); err != nil {
				return err
			}
			if err := s.endMoved(tx, fresh); err != nil {
				return err
			}
			return s.turn(tx, fresh)
		})
		if err != nil {
			return result{}, err
		}
	}
	if r.Leaving != "" {
		return result{again: 2 * time.Second}, nil
	}
	if i.End.IsZero() {
		return result{again: endlessEvery}, nil
	}
	return result{again: max(i.End.Sub(now), 2*time.Second)}, nil
}

// instancesOf returns the instance of this request, if it still applies, and by
// what else the person has access.
func instancesOf(r pim.Request, access pim.Access, now time.Time) (*pim.Instance, string) {
	var other string
	for _, i := range access.Instances {
		over := !i.End.IsZero() && !i.End.After(now)
		switch {
		case over || i.Access != pim.Member:
		case i.Activated && (sameSchedule(i, r.Copy) || i.ScheduleID == "" || r.Copy.ScheduleID == ""):
			return &i, ""
		case i.Activated:
			other = "another activation in PIM"
		default:
			other = "a standing assignment in PIM"
		}
	}
	return nil, other
}

// ended writes that the access of this request is over.
func (s *Service) ended(r pim.Request, c pim.Copy, stillBy string) (result, error) {
	return result{apply: func(tx *store.Tx) error {
		fresh, err := tx.Request(r.ID)
		if err != nil || fresh.State != pim.Active {
			return err
		}
		fresh.Copy.Status, fresh.EndedAt, fresh.StillBy = c.Status, tx.Now(), stillBy
		fresh.Ending = endingOf(fresh, c, tx.Now())
		fresh.Releasing = nil
		if err := s.moveTo(tx, &fresh, pim.Ended, pim.Event{Kind: pim.EventEnded, Chat: pim.System, Text: string(fresh.Ending)}); err != nil {
			return err
		}
		return s.sendFollowing(tx, &fresh)
	}}, nil
}

// endingOf says how it ended, as far as that is known.
func endingOf(r pim.Request, c pim.Copy, now time.Time) pim.Ending {
	gone := now
	if !r.Gone.IsZero() {
		gone = r.Gone
	}
	switch {
	case r.Leaving != "":
		return r.Leaving
	case !r.Ends.IsZero() && !gone.Before(r.Ends):
		return pim.Expired
	case r.Revoking != nil:
		return pim.Revoked // PIM's answer got lost, and the access is gone before its time
	case r.Releasing != nil && !r.Releasing.Sent.IsZero():
		return pim.Released // PIM's answer got lost, and the access is gone before its time
	case pim.ReadStatus(c.Status) == pim.WordRevoked:
		return pim.Revoked
	case !r.Ends.IsZero() && !gone.Add(endSkew).Before(r.Ends):
		return pim.Expired
	}
	return pim.Unknown
}
