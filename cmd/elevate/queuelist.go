package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"elevate/internal/store"
	"elevate/internal/workflow"
)

// queueList says what waits, as the process that does it has it: the state file
// knows neither the tries nor why they failed.
func (op operator) queueList(out io.Writer) error {
	var effects []store.Effect
	var parked []store.Parked
	err := op.db.View(func(tx *store.Tx) error {
		var err error
		if effects, err = tx.Effects(); err != nil {
			return err
		}
		parked, err = tx.Parked()
		return err
	})
	if err != nil {
		return err
	}
	if len(effects)+len(parked) == 0 {
		_, err := fmt.Fprintln(out, "Nothing waits and nothing is parked.")
		return err
	}
	works, serves := op.works(effects)
	slices.SortStableFunc(works, func(a, b workflow.Work) int { return a.Due.Compare(b.Due) })
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tDUE\tTRIES\tSINCE\tKEY\tWHY")
	for _, one := range works {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", one.State, timeText(one.Due), one.Tries, timeText(one.Effect.First), one.Effect.Key, cmp.Or(one.Why, "-"))
	}
	for _, p := range parked {
		fmt.Fprintf(w, "parked\t-\t-\t%s\t%s\t%s\n", timeText(p.Effect.First), p.Effect.Key, fmt.Sprintf("%s (given up at %s)", p.Why, timeText(p.At)))
	}
	if err := w.Flush(); err != nil || serves {
		return err
	}
	_, err = fmt.Fprintln(out, "No `elevate serve` works on these at the moment: once it does, this list says how often each was tried and why it failed.")
	return err
}

// works are the stored effects as the running queue has them, and whether there
// is one.
func (op operator) works(effects []store.Effect) ([]workflow.Work, bool) {
	var serving *workflow.Service
	if op.serving != nil {
		serving = op.serving.Load()
	}
	live := map[string]workflow.Work{}
	if serving != nil {
		for _, w := range serving.Work() {
			w.Why = oneLine(errors.New(w.Why))
			live[w.Effect.Key] = w
		}
	}
	works := make([]workflow.Work, len(effects))
	for i, e := range effects {
		w, ok := live[e.Key]
		if !ok {
			w = workflow.Work{Effect: e, State: "waiting", Due: e.Due}
			if op.db.SinkBehind() {
				w.State, w.Why = "held", "The audit sink does not take its event."
			}
		}
		works[i] = w
	}
	return works, serving != nil
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.UTC().Format(time.RFC3339)
}
