package pim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"elevate/internal/pim"
)

func role(tb testing.TB, name string) pim.Role {
	tb.Helper()
	r, ok := modelRoles().Named(name)
	if !ok {
		tb.Fatalf("no role %s", name)
	}
	return r
}

func TestWhatCanBeAskedFor(t *testing.T) {
	open := pim.Role{Name: "open", Title: "Open", Default: time.Hour}
	for name, row := range map[string]struct {
		role  pim.Role
		asked pim.Asked
	}{
		"a reason":                           {role(t, "mde-admin"), pim.Asked{Reason: "triage"}},
		"no reason where none is needed":     {role(t, "mde-analyst"), pim.Asked{}},
		"the longest reason":                 {role(t, "mde-admin"), pim.Asked{Reason: strings.Repeat("ü", 400)}},
		"the shortest time":                  {role(t, "mde-admin"), pim.Asked{Reason: "x", Duration: 5 * time.Minute}},
		"the longest time":                   {role(t, "mde-admin"), pim.Asked{Reason: "x", Duration: 8 * time.Hour}},
		"an end at the longest time":         {role(t, "mde-admin"), pim.Asked{Reason: "x", Until: monday.Add(8 * time.Hour)}},
		"a later beginning and its end":      {role(t, "mde-admin"), pim.Asked{Reason: "x", From: monday.Add(20 * time.Hour), Until: monday.Add(28 * time.Hour)}},
		"a ticket":                           {role(t, "mde-liveresponse"), pim.Asked{Reason: "x", Ticket: "INC-1"}},
		"any ticket where no pattern is set": {open, pim.Asked{Ticket: "CHG 7"}},
		"any length where no maximum is set": {open, pim.Asked{Duration: 24 * time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := pim.CheckAsked(row.role, row.asked, monday); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	admin, live := role(t, "mde-admin"), role(t, "mde-liveresponse")
	formTicket := pim.Role{Name: "open", Title: "Open", Default: time.Hour, NeedsTicket: true}
	for name, row := range map[string]struct {
		role  pim.Role
		asked pim.Asked
		holds string
	}{
		"no reason":                  {admin, pim.Asked{}, "MDE Administrator needs a reason: write it behind the role, as in /elevate mde-admin"},
		"a blank reason":             {admin, pim.Asked{Reason: " \n\u00a0"}, "needs a reason"},
		"an invisible reason":        {admin, pim.Asked{Reason: "\u200b\u202e\u3164\u2800\ufe0f"}, "needs a reason"},
		"one character too many":     {admin, pim.Asked{Reason: strings.Repeat("ü", 401)}, "has 401 characters, at most 400 fit"},
		"our mark":                   {admin, pim.Asked{Reason: "x [elevate k7m2pq]"}, "Leave it out."},
		"our mark in disguise":       {admin, pim.Asked{Reason: "x [\u00a0ELE\u200bVATE k7m2pq] y"}, "Leave it out."},
		"our mark where none is due": {role(t, "mde-analyst"), pim.Asked{Reason: "[elevate x"}, "Leave it out."},
		"our mark in the ticket":     {formTicket, pim.Asked{Ticket: "[elevate k7m2pq]"}, "number only"},
		"four minutes":               {admin, pim.Asked{Reason: "x", Duration: 4 * time.Minute}, "ask for 5m or more"},
		"a negative time":            {admin, pim.Asked{Reason: "x", Duration: -time.Hour}, "ask for 5m or more"},
		"a second over the maximum":  {admin, pim.Asked{Reason: "x", Duration: 8*time.Hour + time.Second}, "MDE Administrator lasts at most 8 hours; ask for 8h or less."},
		"an end over the maximum":    {admin, pim.Asked{Reason: "x", Until: monday.Add(8*time.Hour + time.Minute)}, "at most 8 hours"},
		"a default over the maximum": {pim.Role{Title: "Odd", Default: 2 * time.Hour, Max: time.Hour}, pim.Asked{}, "at most 1 hour; ask for 1h or less"},
		"an end in the past":         {admin, pim.Asked{Reason: "x", Until: monday.Add(-time.Minute)}, "14:01 is over"},
		"an end in four minutes":     {admin, pim.Asked{Reason: "x", Until: monday.Add(4 * time.Minute)}, "5 minutes"},
		"an end before its beginning": {
			admin, pim.Asked{Reason: "x", From: monday.Add(2 * time.Hour), Until: monday.Add(time.Hour)}, "before it begins",
		},
		"a beginning in the past":    {admin, pim.Asked{Reason: "x", From: monday.Add(-time.Minute)}, "The beginning, 14:01, is over."},
		"no ticket":                  {live, pim.Asked{Reason: "x"}, "MDE Live Response needs a ticket that looks like"},
		"no ticket, and no pattern":  {formTicket, pim.Asked{}, "fill in the form"},
		"a ticket of another system": {admin, pim.Asked{Reason: "x", Ticket: "CHG-1"}, "one that matches"},
		"a ticket with a tail":       {live, pim.Asked{Reason: "x", Ticket: "INC-1 INC-2"}, "one that matches"},
		"an endless ticket":          {formTicket, pim.Asked{Ticket: strings.Repeat("7", 65)}, "64 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pim.CheckAsked(row.role, row.asked, monday)
			if err == nil {
				t.Fatal("allowed")
			}
			sentence(t, err, pim.Invalid, row.holds)
		})
	}
}

func TestReasonsOfDecisions(t *testing.T) {
	if err := pim.CheckReason("too broad"); err != nil {
		t.Error(err)
	}
	for _, reason := range []string{"", " \u200b", "[elevate k7m2pq]", strings.Repeat("x", 401)} {
		if err := pim.CheckReason(reason); !pim.IsKind(err, pim.Invalid) {
			t.Errorf("%.20q: %v", reason, err)
		}
	}
}

func TestTidyTextShowsTheSameEverywhere(t *testing.T) {
	for in, want := range map[string]string{
		"  a \n\t b\u00a0\u2003c  ":      "a b c",
		"INC-\u200b12\u00ad34":           "INC-1234",
		"\u202eevil\u202c \u2066x\u2069": "evil x",
		"a\x00b\x1b[31mc":                "a b [31mc",
		"ok\U000e0041\U000e0042":         "ok",
		"❤\ufe0f":                        "❤",
		"שלום مرحبا 你好 ñ":                "שלום مرحبا 你好 ñ",
	} {
		if got := pim.Tidy(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := pim.Tidy(rapid.String().Draw(t, "text"))
		if pim.Tidy(s) != s {
			t.Fatalf("%q is not tidy yet", s)
		}
	})
}

func TestWhatIsSent(t *testing.T) {
	admin := role(t, "mde-admin")
	base := pim.Activation{Action: pim.SelfActivate, Group: "g-admin", Principal: "alice", Justification: "a b [elevate k7m2pq]"}
	with := func(change func(*pim.Activation)) pim.Activation {
		a := base
		change(&a)
		return a
	}
	for name, row := range map[string]struct {
		asked pim.Asked
		want  pim.Activation
	}{
		"the default": {pim.Asked{Reason: "a b"}, with(func(a *pim.Activation) { a.Duration = time.Hour })},
		"a length":    {pim.Asked{Reason: "a b", Duration: 2 * time.Hour}, with(func(a *pim.Activation) { a.Duration = 2 * time.Hour })},
		"an end":      {pim.Asked{Reason: "a b", Until: monday.Add(time.Hour)}, with(func(a *pim.Activation) { a.Until = monday.Add(time.Hour) })},
		"a beginning": {pim.Asked{Reason: "a b", From: monday.Add(time.Hour)}, with(func(a *pim.Activation) {
			a.Start, a.Duration = monday.Add(time.Hour), time.Hour
		})},
		"a beginning that has passed": {pim.Asked{Reason: "a b", From: monday}, with(func(a *pim.Activation) { a.Duration = time.Hour })},
		"a tidy reason and ticket": {pim.Asked{Reason: " a\n\u200bb ", Ticket: " INC-1"}, with(func(a *pim.Activation) {
			a.Duration, a.Ticket = time.Hour, "INC-1"
		})},
	} {
		t.Run(name, func(t *testing.T) {
			got := row.asked.Activation(admin, "k7m2pq", "alice", monday)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormsAskForTheSameAsCommands(t *testing.T) {
	admin := role(t, "mde-admin")
	for name, row := range map[string]struct {
		duration, reason, ticket string
		want                     pim.Asked
	}{
		"the default":              {"default", "a\r\nb", "", pim.Asked{Reason: "a b"}},
		"nothing chosen":           {"", "a", "", pim.Asked{Reason: "a"}},
		"a length":                 {"1h30m", "a", "", pim.Asked{Reason: "a", Duration: 90 * time.Minute}},
		"a ticket of its own":      {"", "see INC-2", " INC-1 ", pim.Asked{Reason: "see INC-2", Ticket: "INC-1"}},
		"a ticket from the reason": {"", "see INC-2.", "", pim.Asked{Reason: "see INC-2.", Ticket: "INC-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pim.NewAsked(admin, row.duration, row.reason, row.ticket)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []string{"long", "1m", "0h", "2h30", "-2h", "2h 3h"} {
		if _, err := pim.NewAsked(admin, bad, "a", ""); !pim.IsKind(err, pim.Invalid) {
			t.Errorf("duration %q: %v", bad, err)
		}
	}
}

func TestTicketsMatchWhole(t *testing.T) {
	for pattern, found := range map[string]string{
		`^INC-\d+$`:       "INC-12",
		`INC-\d+`:         "INC-12",
		`INC|INC-\d+`:     "INC-12",
		`(?i)inc-\d+`:     "INC-12",
		`WS-\d{3}`:        "",
		`\(INC-12\)`:      "(INC-12)",
		`INC-\d+|WS-.*`:   "WS-0421",
		`^(INC-\d|\d{2})`: "",
	} {
		r := pim.Role{Ticket: pim.MustTicketPattern(pattern)}
		if got := r.FindTicket("isolating WS-0421 for xINC-12x (INC-12)."); got != found {
			t.Errorf("%s found %q, want %q", pattern, got, found)
		}
	}
	if got := (pim.Role{}).FindTicket("INC-12"); got != "" {
		t.Errorf("a role without a pattern found %q", got)
	}
}
