package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// The pace of reading the audit log, whose rows come minutes later: first a minute
// after something turned, then slower, and for some hours. Where it cannot be read,
// it is waited for longer.
const (
	evidenceFirst  = time.Minute
	evidenceSlow   = 15 * time.Minute
	evidenceFor    = 6 * time.Hour
	evidenceUnread = 24 * time.Hour
	// auditComplete is after which time the log is taken to lack nothing more.
	auditComplete = time.Hour
	// auditEvery is how long nothing is read after a call: Entra takes five in ten
	// seconds, from everything that is this application.
	auditEvery = 3 * time.Second
	// evidenceAtOnce is how many requests one transaction writes.
	evidenceAtOnce = 50
)

// sought is a request for which the audit log is read, and since when.
type sought struct {
	Since time.Time `json:"since"`
}

// soughtUnder is where those of a group stand, each in a note of its own: a flood
// writes no long list again and again.
func soughtUnder(g pim.GroupID) string { return "evidence|" + string(g) + "|" }

// seekEvidence has the audit log read for a request that turned, if it should have
// something of that.
func seekEvidence(tx *store.Tx, r *pim.Request) error {
	if len(r.Untraced()) == 0 {
		return nil
	}
	if err := tx.PutMeta(soughtUnder(r.Group)+string(r.ID), sought{Since: tx.Now()}); err != nil {
		return err
	}
	return putEvidence(tx, r.Group)
}

// putEvidence has a group's audit log read within a minute. One reading that is to
// come is enough for all that turns until then.
func putEvidence(tx *store.Tx, g pim.GroupID) error {
	e := evidenceEffect(g, tx.Now().Add(evidenceFirst))
	if old, there, err := tx.Effect(e.Key); err != nil || there && old.Due.After(tx.Now()) {
		return err
	}
	return tx.PutEffect(e)
}

// awaiting is what one reading of a group's audit log is for.
type awaiting struct {
	requests []pim.RequestID
	from     time.Time // of what is read
	newest   time.Time // since when the youngest has waited
}

func (a *awaiting) add(from, since time.Time) {
	if a.from.IsZero() || from.Before(a.from) {
		a.from = from
	}
	if since.After(a.newest) {
		a.newest = since
	}
}

// evidence reads the audit log of one group for everything that waits for it there,
// and says what it has of whom. It turns nothing.
func (s *Service) evidence(ctx context.Context, e store.Effect) (result, error) {
	id, err := dataOf[string](e)
	if err != nil {
		return result{}, err
	}
	g := pim.GroupID(id)
	waits, err := s.awaiting(g)
	if err != nil || waits.from.IsZero() {
		return result{}, err
	}
	log, err := s.cfg.Directory.Audited(ctx, g, waits.from)
	if err != nil {
		return result{}, errors.Join(err, s.takeEvidence(g, waits, pim.Audited{}, nil, evidenceUnread))
	}
	if log.Cut {
		s.cfg.Logger.Warn("audit_log_cut", "group", g, "rows", len(log.Entries)) // what is oldest is found first
	}
	own, err := s.ownDoing(ctx, g, log.Entries)
	if err != nil {
		return result{}, err
	}
	if err := s.takeEvidence(g, waits, log, own, evidenceFor); err != nil {
		return result{}, err
	}
	left, err := s.awaiting(g)
	if err != nil {
		return result{}, err
	}
	res := result{pause: time.Duration(max(log.Calls, 1)) * auditEvery}
	if !left.from.IsZero() {
		res.again = evidencePace(s.cfg.Now().Sub(left.newest))
	}
	return res, nil
}

// evidencePace is after which time the log is read again.
func evidencePace(age time.Duration) time.Duration {
	return min(max(age/5, evidenceFirst), evidenceSlow)
}

func (s *Service) awaiting(g pim.GroupID) (waits awaiting, err error) {
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		waits = awaiting{}
		names, err := tx.MetaUnder(soughtUnder(g))
		if err != nil {
			return err
		}
		for _, name := range names {
			var since sought
			if _, err := tx.Meta(name, &since); err != nil {
				return err
			}
			r, err := tx.Request(pim.RequestID(strings.TrimPrefix(name, soughtUnder(g))))
			if err != nil {
				return err
			}
			waits.requests = append(waits.requests, r.ID)
			waits.add(r.AuditedSince(), since.Since)
		}
		all, err := noticesIn(tx)
		for _, n := range all {
			if n.Group == g && !n.Sought.IsZero() {
				waits.add(n.AuditedSince(), n.Sought)
			}
		}
		return err
	})
	return waits, err
}

// takeEvidence gives each request and each alarm what the log has of it. Whatever has
// waited for longer than most gets nothing more, and says so.
func (s *Service) takeEvidence(g pim.GroupID, waits awaiting, log pim.Audited, own map[string]looked, most time.Duration) error {
	if err := s.update(func(tx *store.Tx) error { return s.takeDoers(tx, g, log.Entries, own, most) }); err != nil {
		return err
	}
	for some := range slices.Chunk(waits.requests, evidenceAtOnce) {
		err := s.update(func(tx *store.Tx) error {
			for _, id := range some {
				if err := s.takeEvidenceOf(tx, g, id, log.Entries, most); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) takeEvidenceOf(tx *store.Tx, g pim.GroupID, id pim.RequestID, log []pim.AuditEntry, most time.Duration) error {
	key := soughtUnder(g) + string(id)
	var since sought
	if waits, err := tx.Meta(key, &since); err != nil || !waits {
		return err
	}
	r, err := tx.Request(id)
	if err != nil {
		return err
	}
	added := r.TakeEvidence(log)
	learned := r.LearnWho()
	if len(added) > 0 || learned {
		if err := s.record(tx, &r, pim.Event{Kind: pim.EventEvidence, Chat: pim.System, From: r.State, Text: evidenceText(added)}); err != nil {
			return err
		}
	}
	if learned {
		if err := s.turn(tx, &r); err != nil {
			return err
		}
	}
	missing := r.Untraced()
	switch {
	case len(missing) == 0:
		return tx.DeleteMeta(key)
	case tx.Now().Sub(since.Since) < most:
		return nil
	}
	text := fmt.Sprintf("The audit log was read for %s and does not say: %s.", pim.FormatDuration(most), listTraces(missing))
	if most == evidenceUnread {
		text = fmt.Sprintf("The audit log could not be read for %s, so it is not known what it says of: %s.", pim.FormatDuration(most), listTraces(missing))
	}
	if err := s.record(tx, &r, pim.Event{Kind: pim.EventEvidence, Chat: pim.System, From: r.State, Text: text}); err != nil {
		return err
	}
	return tx.DeleteMeta(key)
}

// evidenceText names the rows that were added.
func evidenceText(added []pim.Evidence) string {
	var said []string
	for _, e := range added {
		text := e.Activity
		if e.By != "" || e.Name != "" {
			text += " by " + e.Who()
		}
		if e.Reason != "" {
			text += " (" + e.Reason + ")"
		}
		said = append(said, text)
	}
	return "in the audit log: " + strings.Join(said, "; ")
}

func listTraces(traces []pim.Trace) string {
	var said []string
	for _, t := range traces {
		said = append(said, strings.ReplaceAll(string(t), "_", " "))
	}
	return strings.Join(said, ", ")
}
