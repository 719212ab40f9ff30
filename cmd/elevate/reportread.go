package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"elevate/internal/pim"
	"elevate/internal/report"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// reported is one line of what the state file's process hands to the one that makes the report. The last one has a Head.
type reported struct {
	Request *pim.Request `json:"request,omitempty"`
	Events  []pim.Event  `json:"events,omitempty"`
	Alarm   *pim.Event   `json:"alarm,omitempty"`
	Name    string       `json:"name,omitempty"` // of the person whom the alarm is about
	Head    string       `json:"head,omitempty"`
	// Made is the time by the clock that the requests were stored by, which is a sandbox's own.
	Made time.Time `json:"made,omitzero"`
}

// atOnce is how much is read in one transaction. Between them others may write, and nobody's slow pipe holds the file.
const atOnce = 200

// report hands on what belongs to a period: each request once, oldest first, then the alarms in their order.
func (op operator) report(ctx context.Context, words []string, out io.Writer) error {
	var p report.Period
	if len(words) != 1 || json.Unmarshal([]byte(words[0]), &p) != nil || !p.From.Before(p.To) {
		return errors.New("which period is reported is not understood")
	}
	head, err := op.db.Head()
	if err != nil {
		return err
	}
	ids, made, err := op.requestsIn(p)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	for some := range slices.Chunk(ids, atOnce) {
		if err := errors.Join(ctx.Err(), op.reportRequests(some, w)); err != nil {
			return err
		}
	}
	if err := op.reportAlarms(ctx, p, head.Seq, w); err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(w).Encode(reported{Head: head.String(), Made: made}), w.Flush())
}

// requestsIn names the requests of a period, oldest first.
func (op operator) requestsIn(p report.Period) ([]pim.RequestID, time.Time, error) {
	type dated struct {
		id pim.RequestID
		at time.Time
	}
	var found []dated
	var made time.Time
	err := op.db.View(func(tx *store.Tx) error {
		found, made = nil, tx.Now()
		take := func(r pim.Request) error {
			if p.Holds(&r) {
				found = append(found, dated{r.ID, r.Created})
			}
			return nil
		}
		since := p.From.Add(-report.LookBack)
		if err := tx.MadeBetween(since, p.To, take); err != nil {
			return err
		}
		open, err := tx.OpenRequests()
		for _, r := range open {
			if r.Created.Before(since) {
				_ = take(r)
			}
		}
		return err
	})
	slices.SortFunc(found, func(a, b dated) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	ids := make([]pim.RequestID, len(found))
	for i, f := range found {
		ids[i] = f.id
	}
	return ids, made, err
}

func (op operator) reportRequests(ids []pim.RequestID, out io.Writer) error {
	var lines bytes.Buffer
	err := op.db.View(func(tx *store.Tx) error {
		lines.Reset()
		enc := json.NewEncoder(&lines)
		for _, id := range ids {
			r, err := tx.Request(id)
			if err != nil {
				return err
			}
			events, err := tx.EventsOf(id)
			if err != nil {
				return err
			}
			if err := enc.Encode(reported{Request: &r, Events: events}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = out.Write(lines.Bytes())
	return err
}

// reportAlarms reads the events from the period's begin to the newest: an alarm may be over after the period's end.
func (op operator) reportAlarms(ctx context.Context, p report.Period, newest uint64, out io.Writer) error {
	enc := json.NewEncoder(out)
	// A clock that was set back by less than this hides nothing.
	const slack = time.Hour
	next, raised := uint64(0), 0
	for done := false; !done; {
		var alarms []reported
		err := op.db.View(func(tx *store.Tx) (err error) {
			if next == 0 {
				if next, err = tx.EventAt(p.From.Add(-slack)); err != nil {
					return err
				}
			}
			if next > newest {
				done = true
				return nil
			}
			events, err := tx.Events(next, atOnce)
			if err != nil {
				return err
			}
			next += uint64(len(events))
			done = len(events) < atOnce
			alarms, raised, err = alarmsAmong(tx, events, p, raised)
			// Nothing that was raised is left to be over.
			done = done || raised == 0 && len(events) > 0 && events[len(events)-1].At.After(p.To.Add(slack))
			return err
		})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		for _, a := range alarms {
			if err := enc.Encode(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// alarmsAmong picks the alarms of a period and the ends of alarms. raised is how many of them may still end: a changed
// rule never does.
func alarmsAmong(tx *store.Tx, events []pim.Event, p report.Period, raised int) ([]reported, int, error) {
	var found []reported
	for _, e := range events {
		switch {
		case e.Kind == pim.EventAlarm && p.Has(e.At):
			if e.Person != "" {
				raised++
			}
		case e.Kind == pim.EventAlarmOver && raised > 0:
			raised--
		case e.Kind == pim.EventAcknowledged, e.Kind == pim.EventUnacknowledged, e.Kind == pim.EventEvidence && e.Request == "":
		default:
			continue
		}
		name, err := alarmedName(tx, e.Person)
		if err != nil {
			return nil, raised, err
		}
		found = append(found, reported{Alarm: &e, Name: name})
	}
	return found, raised, nil
}

// alarmedName is what somebody is called, as far as the state file knows: by an alarm that is not over, or a link.
func alarmedName(tx *store.Tx, who pim.PrincipalID) (string, error) {
	if who == "" {
		return "", nil
	}
	open, err := workflow.OpenAlarms(tx)
	if err != nil {
		return "", err
	}
	for _, a := range open {
		if a.Person == who && a.Name != "" {
			return a.Name, nil
		}
	}
	links, err := tx.LinksOf(who)
	for _, l := range links {
		if l.Person == who {
			return l.Name, err
		}
	}
	return "", err
}

// gather reads what the state file's process handed over. Without the last line it is not whole.
func gather(in io.Reader, p report.Period, zone *time.Location, titles map[string]string) (*report.Report, error) {
	r := report.New(p, zone, titles)
	dec := json.NewDecoder(in)
	for {
		var line reported
		if err := dec.Decode(&line); err != nil {
			return nil, fmt.Errorf("reading what is reported: %w", err)
		}
		switch {
		case line.Request != nil:
			r.Add(*line.Request, line.Events)
		case line.Alarm != nil:
			r.Alarm(*line.Alarm, line.Name)
		case line.Head != "":
			r.Close(line.Made, line.Head)
			_, err := io.Copy(io.Discard, in)
			return r, err
		}
	}
}
