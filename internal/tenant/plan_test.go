package tenant_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func person(n int, name string) pim.Profile {
	return pim.Profile{ID: pim.PrincipalID(id(n)), Name: name, Enabled: true, Found: true}
}

var (
	alice = person(1, "Alice")
	bob   = person(2, "Bob")
	carol = person(3, "Carol")
)

// wanted is one role with approval.
func wanted() tenant.Wanted {
	return tenant.Wanted{
		Roles: []tenant.Role{{
			Name: "mde-admin", Title: "MDE Administrator", Gives: "Everything", Group: "Role_Admin", Eligible: []string{"PIM Admin"}, Approvers: []string{"Approvers"},
			Rules: tenant.Rules{Longest: 4 * time.Hour, Justification: true, Approval: true},
		}},
		Groups: []tenant.Group{{Name: "Approvers", Members: []string{"bob@contoso.com", "carol@contoso.com"}}},
	}
}

// nothing is a tenant with people and no groups.
func nothing() tenant.Actual {
	a := tenant.Actual{Groups: map[string][]tenant.Found{}, People: map[string]pim.Profile{}, Details: map[pim.GroupID]tenant.Details{}, Assignable: 3}
	for upn, p := range map[string]pim.Profile{"alice@contoso.com": alice, "bob@contoso.com": bob, "carol@contoso.com": carol} {
		a.People[upn], a.People[string(p.ID)] = p, p
	}
	return a
}

const (
	roleGroup, people, approvers = 100, 101, 102
)

// as is a tenant that is as wanted.
func as() tenant.Actual {
	a := nothing()
	add := func(n int, name string, assignable bool, d tenant.Details) {
		g := tenant.Found{ID: pim.GroupID(id(n)), Name: name, Security: true, Assignable: assignable}
		a.Groups[tenant.Key(name)], a.Groups[id(n)] = []tenant.Found{g}, []tenant.Found{g}
		a.Details[g.ID] = d
	}
	member := func(list ...pim.Profile) (d tenant.Details) {
		for _, p := range list {
			d.Members = append(d.Members, tenant.Member{ID: p.ID, Name: p.Name})
			d.People = append(d.People, p)
		}
		return d
	}
	add(people, "PIM Admin", true, member(alice, bob))
	add(approvers, "Approvers", true, member(bob, carol))
	add(roleGroup, "Role_Admin", true, tenant.Details{
		Eligible: []tenant.Eligible{{Principal: pim.PrincipalID(id(people))}},
		Policy: &tenant.Policy{
			Policy:  pim.Policy{MaxDuration: 4 * time.Hour, Justification: true, Approval: true, ApproverGroups: []pim.GroupID{pim.GroupID(id(approvers))}},
			Touched: true, Permanent: true,
		},
	})
	return a
}

// with changes what was read of a group.
func with(a tenant.Actual, group int, change func(*tenant.Found, *tenant.Details)) tenant.Actual {
	g := a.Groups[id(group)][0]
	d := a.Details[g.ID]
	name := tenant.Key(g.Name)
	change(&g, &d)
	a.Groups[name], a.Groups[id(group)], a.Details[g.ID] = []tenant.Found{g}, []tenant.Found{g}, d
	return a
}

func TestATenantThatIsAsDeclaredNeedsNothing(t *testing.T) {
	t.Parallel()
	plan := tenant.Compare(wanted(), as())
	if !plan.Nothing() || len(plan.Warnings)+len(plan.Undeclared) > 0 {
		t.Errorf("%+v", plan)
	}
}

func TestAnEmptyTenantGetsGroupsThenRulesThenEligibility(t *testing.T) {
	t.Parallel()
	plan := tenant.Compare(wanted(), nothing())
	var got []string
	for _, s := range plan.Steps {
		got = append(got, s.Says)
	}
	want := []string{
		"Make the security group PIM Admin", "Make the security group Approvers", "Add Bob (bob@contoso.com) to Approvers", "Add Carol (carol@contoso.com) to Approvers",
		"Make the role-assignable group Role_Admin",
		"Let eligibility for Role_Admin be without end", "Set the longest activation of Role_Admin", "Set what an activation of Role_Admin needs",
		"Set the authentication context of Role_Admin", "Set who approves activations of Role_Admin",
		"Make PIM Admin eligible for Role_Admin without end",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Role_Admin"}, plan.Onboards()); diff != "" || plan.Making != 1 || len(plan.Refused) > 0 {
		t.Errorf("%s making %d, refused %v", diff, plan.Making, plan.Refused)
	}
}

func TestDriftIsAStepThatNamesWasAndWill(t *testing.T) {
	t.Parallel()
	off := false
	for name, c := range map[string]struct {
		declare func(*tenant.Role)
		stand   func(*tenant.Found, *tenant.Details)
		want    string
	}{
		"longest":   {stand: func(_ *tenant.Found, d *tenant.Details) { d.Policy.MaxDuration = 8 * time.Hour }, want: "longest activation: 8 h → 4 h"},
		"reason":    {stand: func(_ *tenant.Found, d *tenant.Details) { d.Policy.Justification = false }, want: "justification: no → yes"},
		"approval":  {stand: func(_ *tenant.Found, d *tenant.Details) { d.Policy.Approval = false }, want: "approval: no → yes"},
		"approvers": {stand: func(_ *tenant.Found, d *tenant.Details) { d.Policy.ApproverPeople = []pim.PrincipalID{alice.ID} }, want: "approvers: Alice, Approvers → Approvers"},
		"approvers of a name that another group has by now": {stand: func(_ *tenant.Found, d *tenant.Details) {
			d.Policy.ApproverGroups = []pim.GroupID{pim.GroupID(id(99))}
		}, want: "approvers: Approvers (" + id(99) + ") → Approvers (" + id(approvers) + ")"},
		"approvers beside those that can be declared": {stand: func(_ *tenant.Found, d *tenant.Details) {
			d.Policy.Beyond = []string{"a stage after the first"}
		}, want: "approvers: Approvers, a stage after the first → Approvers"},
		"context": {declare: func(r *tenant.Role) { r.Rules.Context = "c1" }, want: "authentication context: none → c1"},
		"mail": {declare: func(r *tenant.Role) { r.Rules.Mail = &off }, stand: func(_ *tenant.Found, d *tenant.Details) {
			d.Policy.Mail = map[string]bool{tenant.MailRules()[2]: true}
		}, want: "mail to approvers about activations: yes → no"},
		"permanent": {stand: func(_ *tenant.Found, d *tenant.Details) { d.Policy.Permanent = false }, want: "eligibility without end: no → yes"},
		"end of eligibility": {stand: func(_ *tenant.Found, d *tenant.Details) {
			d.Eligible[0].End = time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)
		}, want: "end of the eligibility: 2 January 2027 → none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a := wanted(), as()
			a.Names = map[pim.PrincipalID]string{pim.PrincipalID(id(99)): "Approvers"}
			if c.declare != nil {
				c.declare(&w.Roles[0])
			}
			if c.stand != nil {
				a = with(a, roleGroup, c.stand)
			}
			var got []string
			for _, s := range tenant.Compare(w, a).Steps {
				for _, ch := range s.Changes {
					got = append(got, ch.What+": "+ch.Was+" → "+ch.Will)
				}
			}
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGuardsRefuseBeforeAnythingIsChanged(t *testing.T) {
	t.Parallel()
	disabled, guest := carol, bob
	disabled.Enabled, guest.Guest = false, true
	twin := carol
	twin.SamePerson = "E1"
	for name, c := range map[string]struct {
		declare func(*tenant.Wanted)
		stand   func(tenant.Actual) tenant.Actual
		want    string
	}{
		"no approver": {declare: func(w *tenant.Wanted) { w.Roles[0].Approvers = nil }, want: "no approver is named"},
		"approvers disabled or guests": {stand: func(a tenant.Actual) tenant.Actual {
			a.People["bob@contoso.com"], a.People["carol@contoso.com"] = guest, disabled
			return with(a, approvers, func(_ *tenant.Found, d *tenant.Details) { d.People = []pim.Profile{guest, disabled} })
		}, want: "disabled, departed or guests"},
		"nobody in the approvers' group": {declare: func(w *tenant.Wanted) { w.Groups = nil }, stand: func(a tenant.Actual) tenant.Actual {
			return with(a, approvers, func(_ *tenant.Found, d *tenant.Details) { *d = tenant.Details{} })
		}, want: "have nobody in them"},
		"the only requester is the only approver": {declare: func(w *tenant.Wanted) { w.Groups = nil }, stand: func(a tenant.Actual) tenant.Actual {
			a = with(a, people, func(_ *tenant.Found, d *tenant.Details) { d.People = []pim.Profile{bob} })
			return with(a, approvers, func(_ *tenant.Found, d *tenant.Details) { d.People = []pim.Profile{bob} })
		}, want: "nobody approves their own request"},
		"the eligible group with one member approves": {declare: func(w *tenant.Wanted) { w.Groups, w.Roles[0].Approvers = nil, []string{"PIM Admin"} }, stand: func(a tenant.Actual) tenant.Actual {
			return with(a, people, func(_ *tenant.Found, d *tenant.Details) { d.People = []pim.Profile{alice} })
		}, want: "nobody approves their own request"},
		"the approver is the requester by another account": {declare: func(w *tenant.Wanted) { w.Groups, w.Roles[0].Approvers = nil, []string{"carol@contoso.com"} }, stand: func(a tenant.Actual) tenant.Actual {
			a.People["carol@contoso.com"] = twin
			other := alice
			other.SamePerson = "e1"
			return with(a, people, func(_ *tenant.Found, d *tenant.Details) { d.People = []pim.Profile{other} })
		}, want: "nobody approves their own request"},
		"longer than PIM takes":  {declare: func(w *tenant.Wanted) { w.Roles[0].Rules.Longest = 25 * time.Hour }, want: "longer than what PIM takes"},
		"shorter than PIM takes": {declare: func(w *tenant.Wanted) { w.Roles[0].Rules.Longest = 29 * time.Minute }, want: "PIM takes no longest activation of 29 min"},
		"one group behind two roles": {declare: func(w *tenant.Wanted) {
			other := w.Roles[0]
			other.Name, other.Group = "other", id(roleGroup)
			w.Roles = append(w.Roles, other)
		}, want: "have the same group"},
		"nested in another group": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(_ *tenant.Found, d *tenant.Details) { d.Within = []string{"Everybody"} })
		}, want: "itself a member of Everybody"},
		"a group inside": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(_ *tenant.Found, d *tenant.Details) {
				d.Members = []tenant.Member{{ID: pim.PrincipalID(id(9)), Name: "Staff", IsGroup: true}}
			})
		}, want: "has the group Staff"},
		"not role-assignable": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(g *tenant.Found, _ *tenant.Details) { g.Assignable = false })
		}, want: "only be said when a group is made"},
		"dynamic": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(g *tenant.Found, _ *tenant.Details) { g.Dynamic = true })
		}, want: "dynamic group"},
		"synced": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(g *tenant.Found, _ *tenant.Details) { g.Synced = true })
		}, want: "on premises"},
		"restricted": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, roleGroup, func(g *tenant.Found, _ *tenant.Details) { g.Restricted = true })
		}, want: "restricted management"},
		"two of the name": {stand: func(a tenant.Actual) tenant.Actual {
			a.Groups["role_admin"] = append(a.Groups["role_admin"], tenant.Found{ID: "x"})
			return a
		}, want: "2 groups called"},
		"an id that is nobody's":                  {declare: func(w *tenant.Wanted) { w.Roles[0].Group = id(77) }, want: "no group with the id"},
		"the people's group is the role's":        {declare: func(w *tenant.Wanted) { w.Roles[0].Eligible = []string{"role_admin"} }, want: "let in here"},
		"the approvers' group is a role's, by id": {declare: func(w *tenant.Wanted) { w.Roles[0].Approvers = append(w.Roles[0].Approvers, id(roleGroup)) }, want: "let in here"},
		"a member nobody knows":                   {declare: func(w *tenant.Wanted) { w.Groups[0].Members = append(w.Groups[0].Members, "zoe@contoso.com") }, want: "nobody called zoe@contoso.com"},
		"an approver nobody knows":                {declare: func(w *tenant.Wanted) { w.Roles[0].Approvers = append(w.Roles[0].Approvers, "zoe@contoso.com") }, want: "nobody called zoe@contoso.com"},
		"members of a dynamic group": {stand: func(a tenant.Actual) tenant.Actual {
			return with(a, approvers, func(g *tenant.Found, _ *tenant.Details) { g.Dynamic = true })
		}, want: "Nobody can be added"},
		"more groups than a tenant can have": {stand: func(tenant.Actual) tenant.Actual {
			a := nothing()
			a.Assignable = 500
			return a
		}, want: "500 role-assignable groups and can have 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a := wanted(), as()
			if c.declare != nil {
				c.declare(&w)
			}
			if c.stand != nil {
				a = c.stand(a)
			}
			plan := tenant.Compare(w, a)
			says := func(f tenant.Finding) bool { return strings.Contains(f.Says, c.want) && f.Mend != "" }
			if !slices.ContainsFunc(plan.Refused, says) || len(plan.Steps) > 0 {
				t.Errorf("want %q, refused %+v, steps %d", c.want, plan.Refused, len(plan.Steps))
			}
		})
	}
}

func TestWarningsNameWhoCouldLetPeopleIn(t *testing.T) {
	t.Parallel()
	open := func(a tenant.Actual, group int) tenant.Actual {
		return with(a, group, func(g *tenant.Found, _ *tenant.Details) { g.Assignable = false })
	}
	for name, c := range map[string]struct {
		declare func(*tenant.Wanted)
		actual  tenant.Actual
		want    string
	}{
		"people's group of a role without approval": {func(w *tenant.Wanted) { w.Roles[0].Rules.Approval = false }, open(as(), people), "let anyone into PIM Admin"},
		"approvers' group":                          {nil, open(as(), approvers), "make anyone an approver"},
		"groups that are to be made":                {nil, nothing(), "make anyone an approver"},
		"one approver":                              {func(w *tenant.Wanted) { w.Groups, w.Roles[0].Approvers = nil, []string{"carol@contoso.com"} }, as(), "only approver"},
		"one approver who asks, too":                {func(w *tenant.Wanted) { w.Groups, w.Roles[0].Approvers = nil, []string{"bob@contoso.com"} }, as(), "Nobody could approve a request of Bob"},
		"protected, but made before":                {func(w *tenant.Wanted) { w.Roles[0].Protected = true }, open(as(), approvers), "to be protected, but"},
		"a group that no role uses":                 {func(w *tenant.Wanted) { w.Groups = append(w.Groups, tenant.Group{Name: "Spare"}) }, as(), "No role uses the group Spare"},
		"the limit is near": {nil, func() tenant.Actual {
			a := as()
			a.Assignable = 400
			return a
		}(), "400 of the 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := wanted()
			if c.declare != nil {
				c.declare(&w)
			}
			plan := tenant.Compare(w, c.actual)
			if !slices.ContainsFunc(plan.Warnings, func(f tenant.Finding) bool { return strings.Contains(f.Says, c.want) }) || len(plan.Refused) > 0 {
				t.Errorf("want %q, got %+v, refused %+v", c.want, plan.Warnings, plan.Refused)
			}
		})
	}
	w := wanted()
	w.Roles[0].Protected = true
	plan := tenant.Compare(w, nothing())
	if len(plan.Warnings) > 0 || plan.Making != 3 {
		t.Errorf("protected: %+v, making %d", plan.Warnings, plan.Making)
	}
}

func TestWhatIsThereAndNotDeclaredIsReportedAndLeft(t *testing.T) {
	t.Parallel()
	a := with(as(), roleGroup, func(_ *tenant.Found, d *tenant.Details) {
		d.Eligible = append(d.Eligible, tenant.Eligible{Principal: carol.ID})
		d.Members = []tenant.Member{{ID: alice.ID, Name: "Alice"}, {ID: bob.ID, Name: "Bob"}, {ID: carol.ID, Name: "Carol"}}
		d.Assigned = map[pim.PrincipalID]time.Time{carol.ID: time.Date(2027, 1, 2, 15, 4, 0, 0, time.UTC)}
		d.Owners = []tenant.Member{{ID: bob.ID, Name: "Bob"}}
		d.Owning = []tenant.Eligible{{Principal: alice.ID}}
		d.Activated = map[pim.PrincipalID]bool{alice.ID: true}
	})
	a = with(a, approvers, func(_ *tenant.Found, d *tenant.Details) {
		d.Members = append(d.Members, tenant.Member{ID: alice.ID, Name: "Alice"})
	})
	plan := tenant.Compare(wanted(), a)
	var got []string
	for _, f := range plan.Undeclared {
		got = append(got, f.Says)
	}
	want := []string{
		"Alice (" + id(1) + ") is a member and not listed.", "Carol (" + id(3) + ") is eligible for Role_Admin and not declared.",
		"Bob (" + id(2) + ") is a member of Role_Admin for good, without PIM.",
		"Carol (" + id(3) + ") is assigned to Role_Admin in PIM until 2 January 2027 15:04 UTC: nobody asks for it, and nobody approves it.",
		"Bob (" + id(2) + ") owns Role_Admin.", "Alice (" + id(1) + ") may become an owner of Role_Admin by PIM.",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(plan.Steps) > 0 {
		t.Error(diff, plan.Steps)
	}
}

// A group that stands already brings its people along: who they are is said before.
func TestWhoIsInAGroupThatStandsAlreadyIsSaidBeforeItGetsSomething(t *testing.T) {
	t.Parallel()
	a := with(as(), roleGroup, func(_ *tenant.Found, d *tenant.Details) { d.Eligible, d.Policy.ApproverGroups = nil, nil })
	a = with(a, people, func(_ *tenant.Found, d *tenant.Details) {
		d.Owners = []tenant.Member{{ID: carol.ID, Name: "Carol"}}
		for n := range 6 {
			p := person(20+n, fmt.Sprint("Person ", n))
			d.People = append(d.People, p)
		}
	})
	var notes []string
	for _, s := range tenant.Compare(wanted(), a).Steps {
		notes = append(notes, s.Notes...)
	}
	want := []string{
		"Approvers (" + id(approvers) + ") has 2 people in it: Bob, Carol.",
		"PIM Admin (" + id(people) + ") has 8 people in it: Alice, Bob, Person 0, Person 1, Person 2 and 3 more; its owners can let others in: Carol (" + id(3) + ").",
	}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Error(diff)
	}
}

// Whoever owns a group of approvers, or of people who need no approval, lets in whom they like.
func TestNamesOwnersOfPeoplesGroups(t *testing.T) {
	t.Parallel()
	w, a := wanted(), as()
	own := func(n int) {
		d := a.Details[pim.GroupID(id(n))]
		d.Owners = []tenant.Member{{ID: carol.ID, Name: carol.Name}}
		a.Details[pim.GroupID(id(n))] = d
	}
	own(approvers)
	own(people)
	says := func(list []tenant.Finding) (all []string) {
		for _, f := range list {
			all = append(all, f.Says)
		}
		return all
	}
	p := tenant.Compare(w, a)
	if got, want := says(p.Undeclared), []string{"Carol (" + id(3) + ") owns Approvers and can let anyone in."}; !slices.Equal(got, want) {
		t.Errorf("where its members are listed: %q", got)
	}
	if got := says(p.Warnings); len(got) > 0 {
		t.Errorf("a role with approval warns of the owner of its people's group: %q", got)
	}
	w.Groups = nil
	p = tenant.Compare(w, a)
	if got, want := says(p.Warnings), []string{"Carol (" + id(3) + ") owns Approvers and can make anyone an approver."}; !slices.Equal(got, want) || len(p.Undeclared) > 0 {
		t.Errorf("where its members are not listed: %q, %v", got, p.Undeclared)
	}
	w.Roles[0].Rules.Approval = false
	p = tenant.Compare(w, a)
	if got, want := says(p.Warnings), []string{"It needs no approval, and Carol (" + id(3) + ") owns PIM Admin and can let anyone in."}; !slices.Equal(got, want) {
		t.Errorf("without approval: %q", got)
	}
}

// An id alone could be any group's: who reads a plan has to see which group it changes.
func TestGroupsNamedByIDAreShownByName(t *testing.T) {
	t.Parallel()
	w, a := wanted(), as()
	w.Roles[0].Group, w.Roles[0].Eligible, w.Roles[0].Rules.Longest = id(roleGroup), []string{id(people)}, time.Hour
	d := a.Details[pim.GroupID(id(roleGroup))]
	d.Eligible, d.Policy.Touched = nil, false
	a.Details[pim.GroupID(id(roleGroup))] = d
	p := tenant.Compare(w, a)
	role := "Role_Admin (" + id(roleGroup) + ")"
	want := []string{"Set the longest activation of " + role, "Make PIM Admin (" + id(people) + ") eligible for " + role + " without end"}
	var got []string
	for _, s := range p.Steps {
		got = append(got, s.Says)
	}
	if !slices.Equal(got, want) || !slices.Equal(p.Onboards(), []string{role}) {
		t.Errorf("%q, %q", got, p.Onboards())
	}
}
