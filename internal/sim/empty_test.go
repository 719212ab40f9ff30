package sim_test

import (
	"strings"
	"testing"

	"elevate/internal/sim"
	"elevate/internal/sim/cast"
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
