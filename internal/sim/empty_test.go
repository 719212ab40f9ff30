package sim_test

import (
	"strings"
	"testing"
	"time"

	"elevate/internal/sim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestAnEmptyTenantFindsItsGroupsOnceTheyAreMade(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{Cast: cast.Empty()})
	if r := act(t, s, "alice", "portal", "activate", "mde-admin", "1h", "why"); !strings.Contains(r.Failed, "no group is called") {
		t.Errorf("got %+v", r)
	}
	contains(t, act(t, s, "graph", "members").Text, cast.RoleAdministrator+": (there is no such group)")
	contains(t, act(t, s, "graph", "members", cast.EveryOne).Text, "alice")
	if people := act(t, s, "people").Text; strings.Contains(people, "may ask for") || !strings.Contains(people, "administrator of groups") {
		t.Errorf("got %s", people)
	}
	model, _ := startSandbox(t, sim.Config{})
	if got, want := s.Settings().Roles, model.Settings().Roles; len(got) != len(want) || got[0].Group != want[0].Group {
		t.Errorf("the settings differ: %+v", got)
	}
}

func TestTheTenantBehavesAsItIsTold(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{})
	for _, line := range []string{"role-assignable 490", "write-limit 20", "new-group-lag 90s", "onboarding-lag 1m", "patch-answers 200"} {
		contains(t, act(t, s, append([]string{"tenant"}, strings.Fields(line)...)...).Text, "the tenant's")
	}
	var b simentra.Behavior
	s.Entra.SetBehavior(func(now *simentra.Behavior) { b = *now })
	if b.RoleAssignable != 490 || b.WriteLimit != 20 || b.NewGroupLag != 90*time.Second || b.OnboardingLag != time.Minute || !b.PatchAnswers200 {
		t.Errorf("got %+v", b)
	}
	for _, line := range []string{"role-assignable few", "patch-answers 201", "new-group-lag soon", "mood good", "write-limit"} {
		if _, err := s.Do(t.Context(), append([]string{"tenant"}, strings.Fields(line)...)); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
}

func TestAssigningTheApp(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{Cast: cast.Empty()})
	if r := act(t, s, "greta", "portal", "assign-app", "alice"); r.Failed == "" {
		t.Errorf("got %+v", r)
	}
	if r := act(t, s, "ada", "portal", "assign-app", "nothing"); r.Failed == "" {
		t.Errorf("got %+v", r)
	}
	act(t, s, "alice", "slack", "/elevate", "x")
	contains(t, act(t, s, "alice", "web", "sign-in").Text, "AADSTS50105")
	contains(t, act(t, s, "ada", "portal", "assign-app", "all", "employees").Text, cast.EveryOne)
	contains(t, act(t, s, "alice", "web", "sign-in").Text, "# Linked")
}
