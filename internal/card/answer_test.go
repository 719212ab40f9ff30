package card_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"elevate/internal/card"
	"elevate/internal/pim"
)

func roles() pim.Roles {
	return pim.Roles{adminRole(), {Name: "mde-analyst", Title: "MDE Analyst", Default: 4 * time.Hour, Max: 12 * time.Hour}}
}

// board has somebody in the middle, near and past the end, and more than it names.
func board() card.Board {
	row := card.WhoRow{Role: adminRole(), Holders: []card.Holder{
		{Name: "Alice", Until: asked.Add(42 * time.Minute)}, {Name: "Dave", Until: asked.Add(time.Minute)}, {Name: "Erin", Until: asked.Add(-time.Second)}, {Name: "Mallory"},
	}}
	for range 15 {
		row.Holders = append(row.Holders, card.Holder{Name: "Somebody Else", Until: asked.Add(3 * time.Hour)})
	}
	return card.Board{Rows: []card.WhoRow{row, {Role: roles()[1]}}, Alarms: 2, Now: asked}
}

func many(n int) (all []pim.Request) {
	for range n {
		all = append(all, member(pim.Active))
	}
	return append(all, over(pim.Expired, time.Hour), over(pim.Released, time.Minute))
}

func waiting(n int) (all []pim.Request) {
	for range n {
		all = append(all, inPIM(pim.Pending))
	}
	return all
}

// answers are the small cards.
func answers() map[string]card.Card {
	names := []string{"Bob", "Carol"}
	easy := roles()[1]
	return map[string]card.Card{
		"answer":           card.Answer("You are signed out."),
		"problem":          card.Problem(pim.Errorf(pim.Forbidden, "You cannot decide your own request.")),
		"not_done":         card.NotDone("Your decision to approve was not taken. PIM refused."),
		"pim_unread":       card.PIMUnread("PIM could not be read for five minutes."),
		"help":             card.Help(pim.Slack),
		"sign_in_link":     card.SignInLink("https://elevate.example.com/auth/start?t=x"),
		"sign_in":          card.SignInNeeded("approve request k7m2pq", "https://elevate.example.com/auth/start?t=x"),
		"asked":            card.Asked(typed(pim.Submitting), adminRole(), names, ""),
		"asked_nobody":     card.Asked(typed(pim.Submitting), adminRole(), nil, ""),
		"asked_easy":       card.Asked(typed(pim.Submitting), easy, nil, ""),
		"asked_sign_in":    card.Asked(typed(pim.WaitingForSignIn), adminRole(), names, "https://elevate.example.com/auth/start?t=x"),
		"deciding_approve": card.Deciding(inPIM(pim.Pending), adminRole(), true),
		"deciding_deny":    card.Deciding(inPIM(pim.Pending), adminRole(), false),
		"canceling":        card.Canceling(inPIM(pim.Pending), adminRole()),
		"releasing":        card.Releasing(member(pim.Active), adminRole()),
		"unasked":          card.Unasked(pim.Errorf(pim.Invalid, "MDE Administrator lasts at most 8 hours; ask for 8h or less."), adminRole(), "d1", 8*time.Hour),
		"unasked_reason":   card.Unasked(pim.Errorf(pim.Invalid, "MDE Administrator needs a reason."), adminRole(), "d1", 0),
		"in_the_way_held":  card.InTheWay(pim.Errorf(pim.Conflict, "You already have MDE Administrator."), member(pim.Active), adminRole()),
		"in_the_way_asked": card.InTheWay(pim.Errorf(pim.Conflict, "You already have an open request."), inPIM(pim.Pending), adminRole()),
		"form_ready":       card.FormReady("mde-admin", ""),
		"roles": card.RolesList([]card.RoleRow{
			{Role: adminRole(), Approvers: names, Holds: asked.Add(time.Hour)}, {Role: easy, Eligible: asked.AddDate(0, 3, 0)}, {Role: pim.Role{Name: "open", Title: "Open", NeedsApproval: true}},
		}),
		"roles_following": card.RolesList([]card.RoleRow{{Role: adminRole(), Holds: asked.Add(time.Hour), Waits: new(with(typed(pim.Submitting), func(r *pim.Request) {
			r.Follows = &pim.Follows{Ends: asked.Add(time.Hour)}
		}))}}),
		"roles_waiting": card.RolesList([]card.RoleRow{{Role: adminRole(), Waits: new(inPIM(pim.Pending))}}),
		"roles_none":    card.RolesList(nil),
		"status": card.StatusList([]pim.Request{
			inPIM(pim.Pending), member(pim.Active), over(pim.Expired, time.Hour), typed(pim.Submitting),
		}, nil, roles(), asked),
		"status_sign_in": card.StatusList([]pim.Request{typed(pim.WaitingForSignIn)}, map[pim.RequestID]string{
			typed(pim.WaitingForSignIn).ID: "https://elevate.example.com/auth/start?t=x",
		}, roles(), asked),
		"status_no_link": card.StatusList([]pim.Request{typed(pim.WaitingForSignIn)}, nil, roles(), asked),
		"status_none":    card.StatusList(nil, nil, roles(), asked),
		"approvals": card.ApprovalsList([]card.Wait{
			{Request: inPIM(pim.Pending), Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_claim"], Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_later"], Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_forged"], Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_odd"], Role: adminRole(), Requester: "Alice"},
		}, nil, roles(), asked),
		"approvals_none":    card.ApprovalsList(nil, nil, roles(), asked),
		"approvals_reviews": card.ApprovalsList(nil, []pim.Request{stories()["emergency"], stories()["emergency_ended"]}, roles(), asked.Add(26*time.Hour)),
		"reviewing":         card.Reviewing(stories()["emergency"], adminRole()),
		"reviewed":          card.Reviewed(stories()["emergency_reviewed"], adminRole()),
		"overdue":           card.OverdueReviews([]pim.Request{stories()["emergency"], stories()["emergency_ended"]}, roles(), asked.Add(26*time.Hour)),
		"roles_emergency":   card.RolesList([]card.RoleRow{{Role: emergencyRole()}}),
		"asked_emergency":   card.Asked(typed(pim.Submitting), emergencyRole(), nil, ""),
		"who":               card.WhoList([]card.WhoRow{{Role: adminRole(), Holders: []card.Holder{{Name: "Alice", Until: asked}}}, {Role: easy}}),
		"who_none":          card.WhoList(nil),
		"home":              card.Home(somebodysPage()),
		"home_empty":        card.Home(card.Page{Known: true, All: roles(), Now: asked}),
		"home_reading":      card.Home(card.Page{All: roles(), Now: asked}),
		"home_sign_in":      card.HomeSignIn(),
		"status_whole":      card.Status([]pim.Request{member(pim.Active)}, nil, somebodysPage()),
		"board":             card.WhoBoard(board()),
		"board_nobody":      card.WhoBoard(card.Board{Now: asked, Rows: []card.WhoRow{{Role: adminRole()}}}),
		"many":              card.ManyAtOnce(card.Many{Began: asked, Requests: many(14), Roles: roles()}),
		"crowd":             card.CrowdWaits(card.Crowd{Requests: waiting(14), Cards: 20, Roles: roles()}),
		"crowd_over":        card.CrowdWaits(card.Crowd{Cards: 20}),
	}
}

// somebodysPage is what concerns somebody who has, asks and approves.
func somebodysPage() card.Page {
	easy := roles()[1]
	return card.Page{
		Known: true, Approves: true, All: roles(), Now: asked,
		Open: []pim.Request{member(pim.Active), typed(pim.WaitingForSignIn), inPIM(pim.Pending)},
		Waits: []card.Wait{
			{Request: inPIM(pim.Pending), Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_claim"], Role: adminRole(), Requester: "Alice"},
			{Request: stories()["pending_odd"], Role: adminRole(), Requester: "Alice"},
		},
		Roles: []card.RoleRow{{Role: adminRole(), Approvers: []string{"Bob", "Carol"}, Holds: asked.Add(time.Hour)}, {Role: easy, Eligible: asked.AddDate(0, 3, 0)}},
		Who: []card.WhoRow{
			{Role: adminRole(), Holders: []card.Holder{{Name: "Alice", Until: asked}}, Alarms: []pim.Alarm{{Name: "Mallory", Kind: pim.AlarmOutside, Since: asked}}}, {Role: easy},
		},
	}
}

func TestGoldenAnswers(t *testing.T) {
	for name, c := range answers() {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "answers", name+".json"), c)
			if len(c.Lines)+len(c.Facts)+len(c.Sections) == 0 || !strings.HasSuffix(c.Fallback, ".") {
				t.Errorf("title %q, fallback %q", c.Title, c.Fallback)
			}
		})
	}
}

func TestAnswersKeepWhatPeopleWroteInert(t *testing.T) {
	r := poisoned(t, inPIM(pim.Pending))
	before := poisoned(t, typed(pim.Submitting))
	wantInert(t, card.Answer(hostile+"is linked now."))
	wantInert(t, card.Problem(pim.Errorf(pim.Conflict, "%s is deciding.", hostile)))
	wantInert(t, card.InTheWay(pim.Errorf(pim.Conflict, "%s has it.", hostile), r, adminRole()))
	wantInert(t, card.Unasked(pim.Errorf(pim.Invalid, "“%s” is no ticket.", hostile), adminRole(), "d1", time.Hour))
	wantInert(t, card.Card{Lines: card.AskForm(card.Prefill{Roles: roles(), Why: hostile}).Lines})
	wantInert(t, card.SignInNeeded("approve "+hostile+"Alice's request", "https://elevate.example.com"))
	wantInert(t, card.Asked(before, adminRole(), []string{hostile + "Bob"}, ""))
	wantInert(t, card.ApprovalsList([]card.Wait{{Request: r, Role: adminRole(), Requester: hostile + "Alice"}}, nil, roles(), asked))
	wantInert(t, card.RolesList([]card.RoleRow{{Role: adminRole(), Approvers: []string{hostile + "Bob"}}}))
	wantInert(t, card.WhoList([]card.WhoRow{{Role: adminRole(), Holders: []card.Holder{{Name: hostile + "Alice"}}}}))
	page := card.Page{Known: true, All: roles(), Now: asked, Open: []pim.Request{r}, Waits: []card.Wait{{Request: r, Role: adminRole(), Requester: hostile + "Alice"}}}
	page.Roles = []card.RoleRow{{Role: adminRole(), Approvers: []string{hostile + "Bob"}}}
	page.Who = []card.WhoRow{{Role: adminRole(), Holders: []card.Holder{{Name: hostile + "Alice"}}, Alarms: []pim.Alarm{{Name: hostile + "Mallory"}}}}
	var whole card.Card
	for _, section := range card.Home(page).Sections {
		for _, row := range section.Rows {
			whole.Lines, whole.Buttons = append(whole.Lines, row.Text), append(whole.Buttons, row.Buttons...)
		}
	}
	wantInert(t, whole)
	form := card.ReasonForm(card.FormDeny, r, adminRole(), hostile+"Alice", asked)
	wantInert(t, card.Card{Lines: form.Lines})
}

func TestEveryKindOfProblemHasATitle(t *testing.T) {
	for kind, tone := range map[pim.Kind]card.Tone{
		pim.Invalid: card.Bad, pim.Forbidden: card.Bad, pim.NotFound: card.Bad, pim.Conflict: card.Bad, pim.Administered: card.Bad, pim.Internal: card.Bad,
		pim.SignIn: card.Waiting, pim.Throttled: card.Waiting, pim.Unavailable: card.Waiting, pim.AnswerLost: card.Waiting, "other": card.Bad,
	} {
		if c := card.Problem(pim.Errorf(kind, "No.")); c.Title == "" || c.Tone != tone {
			t.Errorf("%s: %q %s", kind, c.Title, c.Tone)
		}
	}
}

func TestHelpNamesEveryVerbThatCanBeCarriedOut(t *testing.T) {
	var all strings.Builder
	for _, l := range card.Help(pim.Slack).Lines {
		all.WriteString(words(l) + "\n")
	}
	for _, v := range pim.Verbs() {
		if v != pim.VerbHelp && !strings.Contains(all.String(), string(v)) {
			t.Errorf("the help does not name %s", v)
		}
	}
}

func TestLongListsAreCut(t *testing.T) {
	var waits []card.Wait
	var mine []pim.Request
	for range 25 {
		waits, mine = append(waits, card.Wait{Request: inPIM(pim.Pending), Role: adminRole()}), append(mine, inPIM(pim.Pending))
	}
	for name, c := range map[string]card.Card{
		"approvals": card.ApprovalsList(waits, nil, roles(), asked), "status": card.StatusList(mine, nil, roles(), asked),
	} {
		if len(c.Lines) != 20 || len(c.Buttons) > 10 || len(c.Notes) != 1 || !strings.HasPrefix(words(c.Notes[0]), "5 more are not shown.") {
			t.Errorf("%s: %d lines, %d buttons, notes %v", name, len(c.Lines), len(c.Buttons), c.Notes)
		}
	}
	if said := words(card.ApprovalsList(waits, nil, roles(), asked).Notes[0]); !strings.HasSuffix(said, strings.Repeat(" k7m2pq", 5)+" ") {
		t.Errorf("the others cannot be decided by their ids: %q", said)
	}
	for title, want := range map[string]string{"Your access and requests": "/elevate status", "Waiting for you": "/elevate approvals"} {
		for _, section := range card.Home(card.Page{Known: true, Open: mine, Waits: waits, Now: asked}).Sections {
			rows := section.Rows
			if last := words(rows[len(rows)-1].Text); section.Title == title && (len(rows) != 16 || last != "and 10 more \u2013 "+want) {
				t.Errorf("%s: %d rows, the last is %q", title, len(rows), last)
			}
		}
	}
	v := view(card.Approvers)
	v.Others = make([]card.Holder, 14)
	if got := value(card.ForRequest(inPIM(pim.Pending), adminRole(), v), "Has it now"); !strings.HasSuffix(got, " and 4 more") {
		t.Errorf("holders: %q", got)
	}
}

func TestButtonsInListsNameTheirRequest(t *testing.T) {
	for _, c := range []card.Card{answers()["status"], answers()["approvals"]} {
		for _, b := range c.Buttons {
			if !strings.Contains(b.Label, string(b.Request)) || b.Request == "" || b.Digest == "" {
				t.Errorf("button %+v", b)
			}
		}
	}
	if n := len(answers()["approvals"].Buttons); n != 4 {
		t.Errorf("%d buttons for two requests that a line says all about", n)
	}
}

func TestForms(t *testing.T) {
	for name, f := range map[string]card.Form{
		"ask":           card.AskForm(card.Prefill{Roles: roles()}),
		"ask_prefilled": card.AskForm(card.Prefill{Roles: roles(), Role: "mde-admin", Asked: pim.Asked{Duration: 90 * time.Minute, Reason: "triage", Ticket: "INC-1"}}),
		"ask_emergency": emergencyForm(),
		"review":        card.ReviewForm(stories()["emergency_ended"], adminRole(), asked.Add(2*time.Hour)),
		"ask_refused": card.AskForm(card.Prefill{
			Roles: roles(), Role: "mde-admin", Asked: pim.Asked{Duration: 8 * time.Hour, Reason: "triage"}, Request: "k7m2pq",
			Refusal: &pim.Refusal{Rules: []string{"TicketingRule", "ExpirationRule"}, Most: 4 * time.Hour}, Why: "PIM refused: it wants a ticket.",
		}),
		"ask_times": card.AskForm(card.Prefill{
			Roles: roles(), Role: "mde-admin", Asked: pim.Asked{From: asked.Add(time.Hour), Until: asked.Add(3 * time.Hour), Reason: "triage"}, Zone: time.FixedZone("CET", 3600), Draft: "d1",
		}),
		"ask_one": card.AskForm(card.Prefill{Roles: roles()[1:]}),
		"approve": card.ReasonForm(card.FormApprove, inPIM(pim.Pending), adminRole(), "Alice", asked),
		"deny":    card.ReasonForm(card.FormDeny, inPIM(pim.Pending), adminRole(), "Alice", asked),
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "forms", name+".json"), f)
			if utf8.RuneCountInString(f.Title) > 24 || utf8.RuneCountInString(f.Submit) > 24 {
				t.Errorf("%q or %q is too long for a chat", f.Title, f.Submit)
			}
			for _, field := range f.Fields {
				wantChosen(t, field)
			}
		})
	}
}

// wantChosen fails when a field's value is none of its options.
func wantChosen(t *testing.T, f card.Field) {
	t.Helper()
	if len(f.Options) == 0 || f.Value == "" {
		return
	}
	for _, o := range f.Options {
		if o.Value == f.Value {
			return
		}
	}
	t.Errorf("%s holds %q, which is not offered", f.Name, f.Value)
}

func TestTheFormOffersWhatCanBeAskedFor(t *testing.T) {
	for _, r := range roles() {
		for _, f := range card.AskForm(card.Prefill{Roles: roles(), Role: r.Name}).Fields {
			if f.Name != card.FieldDuration {
				continue
			}
			for _, o := range f.Options {
				a, err := pim.NewAsked(r, o.Value, "why", "")
				if err == nil {
					err = pim.CheckAsked(r, a, asked)
				}
				if err != nil {
					t.Errorf("%s offers %s: %v", r.Name, o.Label, err)
				}
			}
		}
	}
}
