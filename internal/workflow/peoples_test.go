package workflow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/workflow"
	"elevate/internal/workflow/workflowtest"
)

const askers, deciders pim.GroupID = "group-of-askers", "group-of-deciders"

// inWatched is a world whose settings name groups of people for mde-admin.
func inWatched(t *testing.T, test func(*world)) {
	t.Helper()
	inWorld(t, watchesPeople, test)
}

func watchesPeople(w *world) {
	w.dir.Administer(mde, func(g *workflowtest.Group) { g.EligibleGroup, g.ApproverGroup = askers, deciders })
	w.cfg.Peoples = func(_ context.Context, role string) (workflow.PeoplesGroups, error) {
		if role != "mde-admin" {
			return workflow.PeoplesGroups{}, pim.Errorf(pim.NotFound, "Microsoft Entra has no such group.")
		}
		return workflow.PeoplesGroups{Eligible: []pim.GroupID{askers}, Approvers: []pim.GroupID{deciders}}, nil
	}
}

func TestWhoCameIntoOrLeftTheGroupsOfPeopleIsToldToOnCallOnce(t *testing.T) {
	inWatched(t, func(w *world) {
		w.pass(15 * time.Minute)
		w.dir.Administer(mde, func(g *workflowtest.Group) {
			g.Approvers = []pim.PrincipalID{bob, erin}
			g.Eligible = append(g.Eligible, carol)
		})
		w.pass(30 * time.Minute)
		w.restart()
		w.pass(time.Hour)
		said := strings.Join(w.alarms(), "\n")
		for _, want := range []string{"among its approvers, new: Erin; gone: Carol", "among those who may ask for the role, new: Carol"} {
			if strings.Count(said, want) != 1 {
				t.Errorf("%q is not there once in\n%s", want, said)
			}
		}
		if strings.Count(said, "people were changed") != 2 {
			t.Errorf("on-call was told\n%s", said)
		}
	})
}

// A new owner could let anyone in, and so could whoever made somebody else eligible: listed until it is over.
func TestANewOwnerAndAnUndeclaredEligibilityAreAlarmsUntilTheyAreOver(t *testing.T) {
	inWatched(t, func(w *world) {
		w.signIn(alice)
		w.pass(15 * time.Minute)
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Owners, g.Also = append(g.Owners, carol), []pim.PrincipalID{dave} })
		w.pass(20 * time.Minute)
		w.restart()
		w.pass(30 * time.Minute)
		said := w.alarms()
		for _, want := range []string{"Carol was made an owner of the group", "Dave is eligible for the role, which the settings do not declare"} {
			if n := len(slices.DeleteFunc(slices.Clone(said), func(s string) bool { return !strings.Contains(s, want) })); n != 1 {
				t.Errorf("%q was told %d times: %q", want, n, said)
			}
			w.expect(w.says(alice, "who"), want)
		}
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Owners, g.Also = []pim.PrincipalID{erin}, nil })
		w.pass(30 * time.Minute)
		if over := strings.Join(w.alarms(), "\n"); strings.Count(over, "that is over") != 2 {
			t.Errorf("on-call was told\n%s", over)
		}
	})
}

// What cannot be read raises no alarm, and ends none.
func TestAnAlarmStandsWhileWhatItIsAboutCannotBeRead(t *testing.T) {
	inWatched(t, func(w *world) {
		w.pass(15 * time.Minute)
		w.dir.Administer(mde, func(g *workflowtest.Group) { g.Owners = append(g.Owners, carol) })
		w.pass(20 * time.Minute)
		w.dir.Hide(workflowtest.PartOwners, errDown)
		w.pass(time.Hour)
		if said := strings.Join(w.alarms(), "\n"); strings.Contains(said, "that is over") || !strings.Contains(said, "Carol was made an owner") {
			t.Errorf("on-call was told\n%s", said)
		}
	})
}

// A hundred governed groups: what an idle minute costs, in round trips of twenty readings.
func TestAnIdleMinuteOfAHundredGroupsCostsAtMostFourteenRoundTrips(t *testing.T) {
	var mu sync.Mutex
	var began time.Time
	readings := map[int]int{} // by minute
	read := map[pim.GroupID][]time.Time{}
	inWorld(t, func(w *world) {
		began = w.now()
		w.cfg.Roles = nil
		for i := range 100 {
			g := pim.GroupID(fmt.Sprintf("group-%03d", i))
			w.dir.Administer(g, func(of *workflowtest.Group) {
				of.Approvers, of.Max, of.EligibleGroup = []pim.PrincipalID{bob, carol}, 8*time.Hour, "of role-"+g
			})
			w.cfg.Roles = append(w.cfg.Roles, pim.Role{Name: "role-" + string(g), Title: "Role", Group: g, Notify: []pim.Conversation{oncall}})
		}
		w.cfg.Peoples = func(_ context.Context, role string) (workflow.PeoplesGroups, error) {
			return workflow.PeoplesGroups{Eligible: []pim.GroupID{pim.GroupID("of " + role)}, Approvers: []pim.GroupID{pim.GroupID("for " + role)}}, nil
		}
		w.dir.Asked = func(q pim.Question) {
			mu.Lock()
			defer mu.Unlock()
			n := len(q.Requests) + len(q.Pending) + len(q.Recent) + len(q.Access) + len(q.Active) + len(q.Policies) + len(q.Members) + len(q.Owners) + len(q.MayHave)
			readings[int(time.Since(began)/time.Minute)] += (n + 19) / 20
			for _, g := range q.Policies {
				read[g] = append(read[g], time.Now())
			}
		}
	}, func(w *world) { w.pass(2 * time.Hour) })
	all, most := 0, 0
	for minute, n := range readings {
		if minute >= 15 { // until then what was never read is
			all, most = all+n, max(most, n)
		}
	}
	perMinute := float64(all) / 105
	t.Logf("%.1f round trips a minute", perMinute)
	if perMinute > 14 {
		t.Errorf("%.1f round trips a minute, at most %d", perMinute, most)
	}
	for g, times := range read {
		for i := 1; i < len(times); i++ {
			if apart := times[i].Sub(times[i-1]); apart > 11*time.Minute {
				t.Fatalf("the rules of %s were not read for %s", g, apart)
			}
		}
	}
}
