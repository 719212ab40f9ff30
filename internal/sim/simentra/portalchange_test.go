package simentra_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestDriftIsInTheAudit(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{PageSize: 100})
	portal := w.server.Portal()
	w.clock.Advance(time.Hour)
	before := w.clock.Now().UTC().Format(time.RFC3339)
	w.clock.Advance(time.Minute)
	off, role := false, cast.RoleLiveResponse
	must(t, portal.ChangePolicy("ada", role, simentra.PolicyChange{Max: "PT8H", Approval: &off, Justification: &off}))
	must(t, portal.RemoveEligibility("ada", cast.PIMLiveResponse, role))
	must(t, portal.AddMember("ada", "carol", role))
	p, err := w.server.Policy(role)
	must(t, err)
	if p.MaxDuration != "PT8H" || p.Approval || p.Justification || !slices.Equal(p.Approvers, []string{cast.Approvers}) {
		t.Errorf("got %+v", p)
	}
	filter := "activityDateTime ge " + before + " and targetResources/any(t: t/id eq '" + w.group(role) + "')"
	var names []any
	for _, row := range w.value("ada", "/v1.0/auditLogs/directoryAudits?$filter="+filter) {
		names = append(names, row["activityDisplayName"])
		if by := row["initiatedBy"].(map[string]any)["user"].(map[string]any)["displayName"]; by != "Ada Adler" {
			t.Errorf("%v by %v", row["activityDisplayName"], by)
		}
	}
	want := []any{"Add member to group", "Remove eligible member from role in PIM completed (permanent)", "Update role setting in PIM", "Update role setting in PIM", "Update role setting in PIM"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v", names)
	}
	if rows := w.value("ada", "/v1.0/auditLogs/directoryAudits?$filter=loggedByService eq 'PIM' and "+filter); len(rows) != 4 {
		t.Errorf("PIM logged %d", len(rows))
	}
	if r := w.call("greta", http.MethodGet, "/v1.0/auditLogs/directoryAudits", nil); r.status != http.StatusForbidden || r.code(t) != "Authentication_RequestFromUnsupportedUserRole" {
		t.Errorf("greta reads the audit log: %d %s", r.status, r.body)
	}
	for _, filter := range []string{
		"category eq 'GroupManagement'", "targetResources/any(t:t/type eq 'Group')", "result eq 'success'",
		"loggedByService ne 'PIM'", "not(loggedByService eq 'PIM')", "activityDateTime gt 2026-03-02T09:00:00Z",
	} {
		if r := w.call("ada", http.MethodGet, "/v1.0/auditLogs/directoryAudits?$filter="+filter, nil); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d", filter, r.status)
		}
	}
}

func TestThePortalRefusesWhatGraphRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	portal := w.server.Portal()
	on := true
	for name, err := range map[string]error{
		"greta changes a role-enabled group":   portal.ChangePolicy("greta", cast.RoleAnalyst, simentra.PolicyChange{Max: "PT8H"}),
		"greta adds a member to one":           portal.AddMember("greta", "carol", cast.RoleAnalyst),
		"greta takes an eligibility":           portal.RemoveEligibility("greta", cast.PIMAnalyst, cast.RoleAnalyst),
		"two days":                             portal.ChangePolicy("ada", cast.RoleAnalyst, simentra.PolicyChange{Max: "PT48H"}),
		"approval by nobody":                   portal.ChangePolicy("ada", cast.RoleAnalyst, simentra.PolicyChange{Approval: &on}),
		"an approver who is not":               portal.ChangePolicy("ada", cast.RoleAnalyst, simentra.PolicyChange{Approvers: []string{"nobody"}}),
		"a group in a role-enabled one":        portal.AddMember("ada", cast.Approvers, cast.RoleAnalyst),
		"a member who is not":                  portal.RemoveMember("ada", "carol", cast.Auditors),
		"an eligibility that is not":           portal.RemoveEligibility("ada", "carol", cast.RoleAnalyst),
		"for ever where everything has to end": portal.MakeEligible("ada", "carol", cast.Auditors),
		"a group that is not":                  portal.MakeEligible("ada", "carol", "nothing"),
		"by nobody":                            portal.AddMember("nobody", "carol", cast.Auditors),
	} {
		if err == nil {
			t.Errorf("%s: done", name)
		}
	}
	must(t, portal.ChangePolicy("ada", cast.Auditors, simentra.PolicyChange{Permanent: &on, MFA: &on, Ticketing: &on}))
	must(t, portal.MakeEligible("ada", "carol", cast.Auditors))
	must(t, portal.AddMember("greta", cast.RoleAnalyst, cast.Auditors))
}
