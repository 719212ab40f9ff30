package pim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
)

func used(change func(*pim.Request)) *pim.Request {
	r := &pim.Request{
		ID: "k7m2pq", Role: "break-glass", Requester: pim.Actor{Person: "alice", Account: pim.ChatAccount{Chat: pim.Slack, User: "UALICE"}},
		Principal: "alice", State: pim.Ended, Review: &pim.Review{Opened: noon},
	}
	if change != nil {
		change(r)
	}
	return r
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestWhoMayCloseAReview(t *testing.T) {
	t.Parallel()
	carol := pim.Reviewer{Actor: pim.Actor{Person: "carol", Name: "Carol"}, Member: pim.Yes}
	as := func(change func(*pim.Reviewer)) pim.Reviewer {
		by := carol
		change(&by)
		return by
	}
	for name, row := range map[string]struct {
		r    *pim.Request
		by   pim.Reviewer
		kind pim.Kind
		says string
	}{
		"a reviewer":                        {used(nil), carol, "", ""},
		"who approved it":                   {used(func(r *pim.Request) { r.Decided = &pim.Decided{By: carol.Actor, Approve: true} }), carol, "", ""},
		"while the access is there":         {used(func(r *pim.Request) { r.State = pim.Active }), carol, "", ""},
		"where the reviewers are not known": {used(nil), as(func(by *pim.Reviewer) { by.Member = pim.NotKnown }), "", ""},
		"nobody":                            {used(nil), as(func(by *pim.Reviewer) { by.Actor.Person = "" }), pim.SignIn, "Sign in first"},
		"who is no reviewer":                {used(nil), as(func(by *pim.Reviewer) { by.Member = pim.No }), pim.Forbidden, "not among the reviewers"},
		"the holder":                        {used(nil), as(func(by *pim.Reviewer) { by.Actor.Person = "alice" }), pim.Forbidden, "what you did yourself"},
		"another account of the holder":     {used(nil), as(func(by *pim.Reviewer) { by.SamePerson = true }), pim.Forbidden, "what you did yourself"},
		"the account it was asked from":     {used(nil), as(func(by *pim.Reviewer) { by.Actor.Account = pim.ChatAccount{Chat: pim.Slack, User: "UALICE"} }), pim.Forbidden, "what you did yourself"},
		"who made somebody else a member":   {used(func(r *pim.Request) { r.Copy.CreatedBy = "carol" }), carol, pim.Forbidden, "what you did yourself"},
		"who became a member":               {used(func(r *pim.Request) { r.Principal = "carol" }), carol, pim.Forbidden, "what you did yourself"},
		"a reviewer who is disabled":        {used(nil), as(func(by *pim.Reviewer) { by.Profile = pim.Profile{ID: "carol", Found: true} }), pim.Forbidden, "disabled"},
		"a reviewer who is gone":            {used(nil), as(func(by *pim.Reviewer) { by.Profile = pim.Profile{ID: "carol"} }), pim.Forbidden, "does not know your account"},
		"a guest":                           {used(nil), as(func(by *pim.Reviewer) { by.Profile = pim.Profile{ID: "carol", Found: true, Enabled: true, Guest: true} }), pim.Forbidden, "Guests"},
		"what needs no review":              {used(func(r *pim.Request) { r.Review = nil }), carol, pim.Conflict, "needs no review"},
		"what was reviewed": {used(func(r *pim.Request) {
			r.Review.By, r.Review.Note, r.Review.Closed = pim.Actor{Name: "Dave"}, "all well", noon
		}), carol, pim.Conflict, "already, by Dave: all well"},
	} {
		err := pim.MayReview(row.r, row.by)
		switch {
		case row.kind == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case row.kind != "" && (!pim.IsKind(err, row.kind) || !strings.Contains(err.Error(), row.says)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReviewIsOverdueAfterADay(t *testing.T) {
	t.Parallel()
	closed := used(func(r *pim.Request) { r.Review.Closed = noon.Add(time.Hour) })
	for _, row := range []struct {
		r    *pim.Request
		at   time.Duration
		want string
	}{
		{used(nil), 0, "open"},
		{used(nil), 24*time.Hour - 1, "open"},
		{used(nil), 24 * time.Hour, "overdue"},
		{closed, 72 * time.Hour, "closed"},
		{used(func(r *pim.Request) { r.Review = nil }), 72 * time.Hour, ""},
	} {
		if got := row.r.ReviewState(noon.Add(row.at)); got != row.want {
			t.Errorf("after %s: %q, not %q", row.at, got, row.want)
		}
	}
}

func TestTheReasonForAnEmergencyIsCountedAsItIsStored(t *testing.T) {
	t.Parallel()
	role := pim.Role{Name: "break-glass", Title: "Break glass", Default: time.Hour, Emergency: true}
	for reason, says := range map[string]string{
		"":                            "yours is empty",
		"ransomware":                  "yours has 10",
		strings.Repeat("a\u200b", 19): "yours has 19",
		"a" + strings.Repeat(" ", 30): "yours has 1.",
		strings.Repeat("é", 19):       "yours has 19",
		strings.Repeat("é", 20):       "",
		"INC-1234 ransomware!!":       "",
	} {
		err := pim.CheckAsked(role, pim.Asked{Reason: reason}, noon)
		switch {
		case says == "" && err != nil:
			t.Errorf("%q: %v", reason, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%q: %v", reason, err)
		}
	}
	role.Emergency = false
	if err := pim.CheckAsked(role, pim.Asked{Reason: "short"}, noon); err != nil {
		t.Error(err)
	}
}

func TestANoteOfAReviewIsNeitherEmptyNorTooLong(t *testing.T) {
	t.Parallel()
	for note, fits := range map[string]bool{"": false, " \u200b": false, "fine": true, strings.Repeat("é", 400): true, strings.Repeat("é", 401): false} {
		if err := pim.CheckNote(note); (err == nil) != fits {
			t.Errorf("%.10q: %v", note, err)
		}
	}
}

func TestManyNamesAreAsManyAsOneReads(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 42 {
		many = append(many, fmt.Sprint(i))
	}
	if n := pim.NamesOf(many); len(n.Some) != 30 || n.More != 12 {
		t.Errorf("%d and %d more", len(n.Some), n.More)
	}
	if n := pim.NamesOf(nil); len(n.Some) != 0 || n.More != 0 {
		t.Errorf("%+v", n)
	}
}
