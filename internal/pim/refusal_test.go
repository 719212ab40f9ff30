package pim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

func TestARefusalLeadsSomewhere(t *testing.T) {
	for _, row := range []struct {
		why   pim.Refusal
		mend  pim.Mend
		wants string
	}{
		{pim.Refusal{Kind: pim.Invalid, Rules: []string{"JustificationRule", "TicketingRule"}}, pim.MendForm, "reason ticket"},
		{pim.Refusal{Kind: pim.Invalid, Rules: []string{"expirationrule"}}, pim.MendLength, "duration"},
		{pim.Refusal{Kind: pim.Invalid, Rules: []string{"ExpirationRule", "TicketingRule"}}, pim.MendForm, "duration ticket"},
		{pim.Refusal{Kind: pim.Forbidden, Rules: []string{"ExpirationRule", "EligibilityRule"}}, pim.MendRole, "duration"},
		{pim.Refusal{Kind: pim.Invalid, Rules: []string{"JustificationRule", "NewRule"}}, pim.MendAdministrator, "reason"},
		{pim.Refusal{Kind: pim.SignIn, Rules: []string{"MfaRule"}}, pim.MendSignIn, ""},
		{pim.Refusal{Kind: pim.Invalid, Rules: []string{"MfaRule", "TicketingRule"}}, pim.MendForm, "ticket"},
		{pim.Refusal{Kind: pim.Invalid, Code: "ActiveDurationTooShort"}, pim.MendForm, "duration"},
		{pim.Refusal{Kind: pim.Conflict, Code: "ROLEASSIGNMENTEXISTS"}, pim.MendHeld, ""},
		{pim.Refusal{Kind: pim.Conflict, Code: "OverlapsPendingRoleAssignmentRequests"}, pim.MendOpen, ""},
		{pim.Refusal{Kind: pim.Conflict, Code: "SomethingElse"}, pim.MendLater, ""},
		{pim.Refusal{Kind: pim.Invalid, Code: "invalidRange"}, pim.MendForm, ""},
		{pim.Refusal{}, pim.MendLater, ""},
	} {
		if got := row.why.Mend(); got != row.mend {
			t.Errorf("%+v leads to %s, not %s", row.why, got, row.mend)
		}
		if got := strings.Join(row.why.Wants(), " "); got != row.wants {
			t.Errorf("%+v wants %q, not %q", row.why, got, row.wants)
		}
	}
}

func TestTypedTimesSurviveTheForm(t *testing.T) {
	role := modelRoles()[0]
	from, until := time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 3, 6, 0, 0, 0, time.UTC)
	for _, asked := range []pim.Asked{
		{Reason: "why", From: from},
		{Reason: "why", Until: until},
		{Reason: "why", From: from, Until: until},
		{Reason: "why", From: from, Duration: 90 * time.Minute},
	} {
		got, err := pim.NewAsked(role, asked.When(), "why", "")
		if err != nil || !got.Same(asked) {
			t.Errorf("%q became %+v, %v", asked.When(), got, err)
		}
	}
	if when := (pim.Asked{Duration: time.Hour}).When(); when != "" {
		t.Errorf("a length of time is %q", when)
	}
	for _, bad := range []string{"from", "until tomorrow", "from 2026-03-02T22:00:00Z until", "for 2026-03-02T22:00:00Z", "until 2026-03-02T22:00:00Z for 2h", "at 2026-03-02T22:00:00Z"} {
		if _, err := pim.NewAsked(role, bad, "why", ""); !pim.IsKind(err, pim.Invalid) || pim.Explain(err).Field != pim.FieldDuration {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAskingForLess(t *testing.T) {
	now := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	ahead := pim.Asked{From: now.Add(time.Hour), Until: now.Add(9 * time.Hour), Reason: "why", Ticket: "INC-1"}
	role := pim.Role{Default: time.Hour}
	if !ahead.TooLong(role, 7*time.Hour, now) || ahead.TooLong(role, 8*time.Hour, now) || ahead.TooLong(role, 0, now) {
		t.Error("eight hours from in an hour")
	}
	if got := ahead.Lasting(4*time.Hour, now); !got.Same(pim.Asked{From: ahead.From, Duration: 4 * time.Hour, Reason: "why", Ticket: "INC-1"}) {
		t.Errorf("asked for %+v", got)
	}
	if got := ahead.Lasting(4*time.Hour, ahead.From); !got.From.IsZero() {
		t.Error("a beginning that has passed is not at once")
	}
	if !slices.Equal((&pim.Refusal{Rules: []string{"TicketingRule", "TicketingRule"}}).Wants(), []string{pim.FieldTicket}) {
		t.Error("a field stands there twice")
	}
}
