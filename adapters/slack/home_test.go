package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
)

// shownHome is the view that a card is published as.
func (b *bench) shownHome(t *testing.T, c card.Card) object {
	t.Helper()
	if err := b.client.ShowHome(t.Context(), aliceAccount, c); err != nil {
		t.Fatal(err)
	}
	calls := b.api.to("views.publish")
	view, _ := calls[len(calls)-1].json["view"].(object)
	if bad := simslack.CheckView(view); len(bad) > 0 {
		t.Errorf("Slack would refuse the view: %q", bad)
	}
	return view
}

func TestHomeTabsLookAsTheyDid(t *testing.T) {
	b := newBench(t, nil)
	for _, name := range []string{"home", "home_sign_in"} {
		kept := keptIn[card.Card](t, filepath.Join(cardsFolder, "answers", name+".json"))
		golden(t, "home-"+strings.TrimPrefix(name, "home_")+"-page", b.shownHome(t, kept))
	}
}

// fullPage is a page with more of everything than it shows.
func fullPage() card.Page {
	p := card.Page{Known: true, Approves: true, Now: time.Date(2026, 3, 2, 14, 7, 0, 0, time.UTC)}
	long := strings.Repeat("why <!channel> ", 400)
	for i := range 150 {
		role := pim.Role{Name: fmt.Sprintf("role-%d", i), Title: strings.Repeat("Role ", 60), Gives: strings.Repeat("it gives ", 300), NeedsApproval: true}
		r := pim.Request{
			ID: pim.RequestID(fmt.Sprintf("abc2%02d", i)), Role: role.Name, State: pim.Pending, Created: p.Now,
			Requester: pim.Actor{Name: long}, Asked: pim.Asked{Duration: time.Hour, Reason: long, Ticket: long}, Copy: pim.Copy{ID: "p", Justification: long},
		}
		active := r
		active.State, active.Ends = pim.Active, p.Now.Add(time.Hour)
		p.All = append(p.All, role)
		p.Open, p.Waits = append(p.Open, active), append(p.Waits, card.Wait{Request: r, Role: role, Requester: long})
		p.Roles = append(p.Roles, card.RoleRow{Role: role, Approvers: []string{long}})
		p.Who = append(p.Who, card.WhoRow{Role: role, Holders: []card.Holder{{Name: long, Until: p.Now}}})
	}
	return p
}

func TestTheLongestHomeIsOneThatSlackTakes(t *testing.T) {
	b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) { cfg.Sandbox = true })
	view := b.shownHome(t, card.Home(fullPage()))
	raw, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Your access and requests", "Waiting for you", "Your roles", "Elevated now", "and 135 more", "/elevate approvals"} {
		if !strings.Contains(string(raw), words) {
			t.Errorf("%q is not in the page", words)
		}
	}
	if blocks, _ := view["blocks"].([]any); len(blocks) > 100 || len(raw) > 250_000 || strings.Contains(string(raw), "<!channel>") {
		t.Errorf("%d blocks, %d bytes", len(blocks), len(raw))
	}
	blocks, _ := b.posted(t, card.Status(fullPage().Open, nil, fullPage()))
	if bad := simslack.CheckBlocks(blocks); len(bad) > 0 {
		t.Errorf("Slack would refuse the answer: %q", bad)
	}
	if raw, _ := json.Marshal(blocks); !strings.Contains(string(raw), "and 146 more") || !strings.Contains(string(raw), "Elevated now") {
		t.Errorf("the answer is\n%s", raw)
	}
}

// Whoever may not use Elevate any more is shown that instead of what stood there.
func TestHomeOfAnAccountThatMayNotUseElevateIsEmptied(t *testing.T) {
	for name, with := range map[string]object{
		"a guest": {"is_restricted": true}, "deactivated": {"deleted": true}, "a bot": {"is_bot": true}, "of another workspace": {"team_id": "T0OTHER"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.api.change(with)
			err := b.client.ShowHome(t.Context(), aliceAccount, card.Home(fullPage()))
			if !pim.IsKind(err, pim.Forbidden) {
				t.Errorf("got %v", err)
			}
			calls := b.api.to("views.publish")
			if len(calls) != 1 {
				t.Fatalf("published %d times", len(calls))
			}
			if raw, _ := json.Marshal(calls[0].json); strings.Contains(string(raw), "role-1") || strings.Contains(string(raw), `"button"`) {
				t.Errorf("shown\n%s", raw)
			}
		})
	}
	b := newBench(t, nil)
	elsewhere := pim.ChatAccount{Chat: pim.Slack, Workspace: "T0OTHER", User: alice}
	if err := b.client.ShowHome(t.Context(), elsewhere, card.HomeSignIn()); !pim.IsKind(err, pim.Forbidden) || len(b.api.to("views.publish")) != 0 {
		t.Errorf("an account of another workspace: %v, %d calls", err, len(b.api.to("views.publish")))
	}
}

func TestWhatSlackSaysOfAHomeThatItDoesNotShow(t *testing.T) {
	for code, want := range map[string]pim.Kind{
		"not_enabled": pim.Forbidden, "user_not_found": pim.Forbidden, "invalid_arguments": pim.Internal,
		"ratelimited": pim.Throttled, "token_revoked": pim.Administered, "internal_error": pim.AnswerLost,
	} {
		b := newBench(t, nil)
		b.api.on("views.publish", func(*http.Request, call) (*http.Response, error) {
			return response(200, "application/json", `{"ok":false,"error":"`+code+`"}`), nil
		})
		if err := b.client.ShowHome(t.Context(), aliceAccount, card.HomeSignIn()); !pim.IsKind(err, want) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
