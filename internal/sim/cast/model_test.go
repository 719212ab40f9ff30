package cast_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/sim/cast"
)

func TestEveryNameInTheModelLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []*cast.Cast{cast.Model(), cast.Empty()} {
		everyNameLeadsSomewhere(t, c)
	}
}

func everyNameLeadsSomewhere(t *testing.T, c *cast.Cast) {
	t.Helper()
	var names []string
	for _, g := range c.Groups {
		names = append(append(names, g.Members...), g.Owners...)
	}
	for _, e := range c.Eligibilities {
		names = append(names, e.Group, e.Principal)
	}
	for _, p := range c.Policies {
		names = append(append(names, p.Group), p.Approvers...)
	}
	for _, a := range c.Apps {
		names = append(names, a.Assigned...)
	}
	for _, n := range names {
		if _, ok := c.Principal(n); !ok {
			t.Errorf("%q is nobody's name", n)
		}
	}
}

func TestIdsAreGuidsAndUnique(t *testing.T) {
	t.Parallel()
	c := cast.Model()
	shape := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	seen := map[string]string{}
	check := func(id, owner string) {
		if !shape.MatchString(id) {
			t.Errorf("%s has id %q", owner, id)
		}
		if other, twice := seen[id]; twice {
			t.Errorf("%s and %s share id %s", owner, other, id)
		}
		seen[id] = owner
	}
	slack := map[string]string{}
	for _, p := range c.People {
		if p.ObjectID != "" {
			check(p.ObjectID, p.Key)
		}
		if other := slack[p.Slack.UserID]; other != "" {
			t.Errorf("%s and %s share a Slack account", p.Key, other)
		}
		if p.Slack.UserID != "" {
			slack[p.Slack.UserID] = p.Key
		}
	}
	for _, g := range c.Groups {
		check(g.ID, g.Name)
	}
	for _, e := range c.Eligibilities {
		check(e.ID, "eligibility for "+e.Group)
	}
}

func TestFrankIsOneHumanWithTwoAccounts(t *testing.T) {
	t.Parallel()
	c := cast.Model()
	frank, _ := c.Person("frank")
	admin, ok := c.Person("adm-frank")
	if !ok || frank.EmployeeID != admin.EmployeeID || frank.ObjectID == admin.ObjectID || admin.Slack.UserID != "" {
		t.Fatalf("got %+v and %+v", frank, admin)
	}
}

func TestModelsDoNotShareMemory(t *testing.T) {
	t.Parallel()
	first := cast.Model()
	first.People[0].Enabled = false
	first.Groups[0].Members[0] = "somebody else"
	if cmp.Equal(first, cast.Model()) {
		t.Fatal("a change to one model changed the next")
	}
}

func TestAnEmptyTenantHasThePeopleAndNoneOfTheGroups(t *testing.T) {
	t.Parallel()
	model, empty := cast.Model(), cast.Empty()
	if !cmp.Equal(model.People, empty.People) || model.TenantID != empty.TenantID || len(model.Apps) != len(empty.Apps) {
		t.Error("the people or the registrations differ")
	}
	for _, g := range model.Groups {
		if _, there := empty.Group(g.Name); there != (g.Name == cast.Auditors) {
			t.Errorf("%s is there: %t", g.Name, there)
		}
	}
	if a, _ := empty.App(cast.AppElevate); len(a.Assigned) != 1 || a.Assigned[0] != "ada" {
		t.Errorf("assigned are %v", a.Assigned)
	}
}
