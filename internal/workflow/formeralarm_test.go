package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

// What the version before alarms had messages of their own left in the state file: alarms
// without names, and tells that a chat did not take yet.
func TestAlarmsThatAFormerVersionCouldNotTellAreTold(t *testing.T) {
	for name, row := range map[string]struct {
		data  string
		open  bool // it stands among the alarms
		again string
		want  []string
	}{
		"open":        {`{"alarm":ALARM}`, true, "", []string{"MDE Administrator: alarm", "Dave is a member outside PIM", "[Acknowledge]", "Done by Erin"}},
		"over by now": {`{"alarm":ALARM}`, false, `{"alarm":ALARM,"over":true}`, []string{"MDE Administrator: alarm over", "Dave is a member outside PIM: that is over"}},
		"rules":       {`{"rules":"approval: asked for, now not","role":"mde-admin"}`, false, "", []string{"PIM's rules were changed", "approval: asked for, now not"}},
		"people":      {`{"people":"among its approvers, Dave came","role":"mde-admin"}`, false, "", []string{"people were changed", "Dave came"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.signIn(bob)
				a := pim.Alarm{Kind: pim.AlarmOutside, Group: mde, Person: dave, Name: "Dave", Since: w.now()}
				if row.open {
					w.stands(dave, erin)
				}
				w.Stop()
				w.update(func(tx *store.Tx) error {
					if row.open {
						if err := tx.PutMeta("alarms", []pim.Alarm{a}); err != nil {
							return err
						}
					}
					return w.formerlyTells(tx, a, row.data, row.again)
				})
				w.restart()
				w.pass(20 * time.Minute)
				w.expect(w.read(workflow.Reply{Card: new(w.alarmed().Card())}), row.want...)
				w.restart()
				w.pass(20 * time.Minute)
				w.alarmed() // once
			})
		})
	}
}

// formerlyTells puts the effects that told of an alarm.
func (w *world) formerlyTells(tx *store.Tx, a pim.Alarm, told ...string) error {
	w.t.Helper()
	for i, data := range told {
		if data == "" {
			continue
		}
		alarm, err := json.Marshal(a)
		if err != nil {
			return err
		}
		key := "tell|" + oncall.String() + "|alarm|" + string(rune('1'+i))
		e := store.Effect{Key: key, Kind: "tell", Lane: oncall.String(), To: oncall, Data: json.RawMessage(strings.ReplaceAll(data, "ALARM", string(alarm)))}
		if err := tx.PutEffect(e); err != nil {
			return err
		}
	}
	return nil
}

// An alarm that stood there before alarms had names can be acknowledged from the list.
func TestAnAlarmOfAFormerVersionCanBeAcknowledged(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.signIn(bob)
		w.stands(dave, erin)
		w.Stop()
		w.update(func(tx *store.Tx) error {
			return tx.PutMeta("alarms", []pim.Alarm{{Kind: pim.AlarmOutside, Group: mde, Person: dave, Name: "Dave", Since: w.now()}})
		})
		w.restart()
		w.pass(20 * time.Minute)
		if posted := len(w.chat.In(oncall)); posted != 0 {
			t.Errorf("on-call, who was told of it, got %d messages", posted)
		}
		r := w.bot.Command(t.Context(), w.sender(bob), "who")
		listed := r.Later(t.Context())
		for _, b := range listed.Buttons {
			if b.Act == card.Acknowledge && b.Digest != "" {
				return
			}
		}
		t.Errorf("nothing to acknowledge on %s", workflowtest.Text(listed))
	})
}
