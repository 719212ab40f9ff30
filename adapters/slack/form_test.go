package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/sim/simslack"
	"elevate/internal/workflow"
)

func askForm() card.Form {
	return card.Form{
		Name: card.FormAsk, Title: "Ask for a role", Submit: "Ask", Lines: []card.Text{card.Plain("The access ends by itself.")},
		Fields: []card.Field{
			{Name: card.FieldRole, Label: "Role", Value: "mde-admin", Options: []card.Option{{Value: "mde-admin", Label: "MDE Administrator"}, {Value: "mde-analyst", Label: "MDE Analyst"}}},
			{Name: card.FieldDuration, Label: "For how long", Value: "1h", Hint: "For example 90m or 2h."},
			{Name: card.FieldReason, Label: "Why", Long: true, Max: 400},
			{Name: card.FieldTicket, Label: "Ticket", Optional: true},
		},
	}
}

// opened is the view that a form was opened with.
func (b *bench) opened(t *testing.T, f card.Form) object {
	t.Helper()
	b.service.answer = workflow.Reply{Form: &f}
	b.command(nil)
	b.handler.Close()
	calls := b.api.to("views.open")
	if len(calls) != 1 || calls[0].json["trigger_id"] != "1.2.trigger" {
		t.Fatalf("opened %v", calls)
	}
	view, _ := calls[0].json["view"].(object)
	if bad := simslack.CheckView(view); len(bad) > 0 {
		t.Fatalf("Slack would refuse the view: %q", bad)
	}
	return view
}

func TestFormIsOpenedFromWhatIsKnown(t *testing.T) {
	b := newBench(t, nil)
	view := b.opened(t, askForm())
	golden(t, "form-ask", view)
	b.api.mu.Lock()
	defer b.api.mu.Unlock()
	for i, c := range b.api.calls {
		if c.method == "views.open" && b.api.calls[i-1].method != "users.info" {
			t.Errorf("%s was called before the form was opened", b.api.calls[i-1].method)
		}
	}
}

func TestPrivateMetadataIsOnlyIds(t *testing.T) {
	b := newBench(t, nil)
	f := askForm()
	f.Name, f.Request, f.Digest = card.FormDeny, "abc234", "0123456789abcdef"
	view := b.opened(t, f)
	var got map[string]string
	if err := json.Unmarshal([]byte(view["private_metadata"].(string)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"r": "abc234", "d": "0123456789abcdef", "c": channel}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFormsOfAnySizeFit(t *testing.T) {
	f := card.Form{Name: strings.Repeat("n", 300), Title: strings.Repeat("\U0001F600", 30), Digest: strings.Repeat("d", 4000)}
	for i := range 120 {
		f.Lines = append(f.Lines, card.Typed(strings.Repeat("line ", 2000)))
		f.Fields = append(f.Fields, card.Field{Name: fmt.Sprint("f", i/2), Label: strings.Repeat("l", 3000), Hint: strings.Repeat("h", 3000), Value: strings.Repeat("v", 5000)})
	}
	for i := range 150 {
		f.Fields[0].Options = append(f.Fields[0].Options, card.Option{Value: fmt.Sprint(i), Label: strings.Repeat("o", 100)}, card.Option{Value: strings.Repeat("o", 100)}, card.Option{})
	}
	b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) { cfg.Sandbox = true })
	b.opened(t, f)
}

func TestLateFormLeavesAWayOn(t *testing.T) {
	for code, wayOn := range map[string]bool{
		"expired_trigger_id": true, "exchanged_trigger_id": true, "trigger_expired": true, "invalid_trigger_id": true, "not_authed": true,
		"internal_error": false, // it may stand open
	} {
		b := newBench(t, nil)
		b.api.on("views.open", refused(code))
		f := askForm()
		b.service.answer = workflow.Reply{Form: &f}
		b.command(nil)
		b.handler.Close()
		calls := b.api.to("response_url")
		if (len(calls) == 1) != wayOn || b.counts.at(slack.LateForm) != 1 {
			t.Errorf("%s: told %d times, counted %v", code, len(calls), b.counts.of)
			continue
		}
		for _, words := range []string{"Open the form", `{"a":"form","o":"mde-admin"}`} {
			if wayOn && !strings.Contains(fmt.Sprint(calls[0].json), words) {
				t.Errorf("%s: told %v", code, calls[0].json)
			}
		}
	}
}

func TestLateReasonFormKeepsItsRequest(t *testing.T) {
	for name, act := range map[string]string{card.FormDeny: "deny", card.FormApprove: "approve_reason", card.FormReview: "review"} {
		b := newBench(t, nil)
		b.api.on("views.open", refused("expired_trigger_id"))
		b.service.answer = workflow.Reply{Form: &card.Form{Name: name, Request: "abc234", Digest: "dig"}}
		b.interact(clickOn(approveValue))
		b.handler.Close()
		calls := b.api.to("response_url")
		if len(calls) != 1 || !strings.Contains(fmt.Sprint(calls[0].json), `{"a":"`+act+`","r":"abc234","d":"dig"}`) {
			t.Errorf("%s: told %v", name, calls)
		}
	}
}
