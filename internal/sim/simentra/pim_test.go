package simentra_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestAnActivationWithApprovalFromAskingToTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{ProvisioningDelay: 4 * time.Second, ListLag: 5 * time.Second, MemberLag: 3 * time.Second})
	r := w.activate("alice", cast.RoleAdministrator)
	id := r["id"].(string)
	if r["status"] != "PendingApproval" || r["approvalId"] != id || r["completedDateTime"] != nil {
		t.Fatalf("got %v", r)
	}
	w.clock.Advance(10 * time.Minute)
	if got := w.decide("bob", id, "Approve", "fine"); got.status != http.StatusNoContent {
		t.Fatalf("bob's approval: %d %s", got.status, got.body)
	}
	steps := []struct {
		name           string
		after          time.Duration
		status         string
		listed, member bool
	}{
		{"provisioning takes its time", 0, "PendingProvisioning", false, false},
		{"provisioned before anything shows it", 4 * time.Second, "Provisioned", false, false},
		{"the group shows it", 3 * time.Second, "Provisioned", false, true},
		{"the list shows it", 2 * time.Second, "Provisioned", true, true},
		{"until the last second", time.Hour - 10*time.Second, "Provisioned", true, true},
		{"at the end the instance is gone, the member not yet", time.Second, "Provisioned", false, true},
		{"the member goes, the status stays", 3 * time.Second, "Provisioned", false, false},
	}
	for _, s := range steps {
		w.clock.Advance(s.after)
		if got := w.status(id); got != s.status {
			t.Errorf("%s: status %s", s.name, got)
		}
		if got := len(w.instances(cast.RoleAdministrator)) > 0; got != s.listed {
			t.Errorf("%s: listed %v", s.name, got)
		}
		if got := w.isMember("alice", cast.RoleAdministrator); got != s.member {
			t.Errorf("%s: member %v", s.name, got)
		}
	}
}

// activationCase is one attempt to activate.
type activationCase struct {
	before     func(*world)
	who, group string
	change     []any
	status     int
	code, text string
}

func withPolicy(change func(*cast.Policy)) func(*world) {
	return func(w *world) {
		p, err := w.server.Policy(cast.RoleAnalyst)
		must(w.t, err)
		change(&p)
		must(w.t, w.server.SetPolicy(p))
	}
}

func passwordOnly(w *world) {
	withPolicy(func(p *cast.Policy) { p.MFA = true })(w)
	w.server.SetBehavior(func(b *simentra.Behavior) { b.NoMFA = true })
}

func activeAnalyst(w *world) { w.activate("alice", cast.RoleAnalyst) }

func activeFourMinutes(w *world) {
	activeAnalyst(w)
	w.clock.Advance(4 * time.Minute)
}

func startingAt(text string) map[string]any {
	s := lasting("PT1H")
	s["startDateTime"] = text
	return s
}

func (row activationCase) run(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	if row.before != nil {
		row.before(w)
	}
	r := w.call(row.who, http.MethodPost, pim+"assignmentScheduleRequests", w.activation(row.who, row.group, row.change...))
	if r.status != row.status || !strings.Contains(strings.ReplaceAll(r.body, `\"`, `"`), row.text) {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if row.code != "" && r.code(t) != row.code {
		t.Errorf("got code %s", r.code(t))
	}
	if refused := row.status >= 400; refused && row.before == nil && len(w.server.Portal().Requests("")) > 0 {
		t.Error("a refused request left something behind")
	}
}

func TestActivationsThatAreAllowed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]activationCase{
		"right after ten hours exactly":    {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", lasting("PT10H")}, 201, "", ""},
		"five minutes are enough":          {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", lasting("PT5M")}, 201, "", ""},
		"the spelling of words is free":    {nil, "alice", cast.RoleAnalyst, []any{"action", "SelfActivate", "accessId", "Member"}, 201, "", ""},
		"no schedule means the longest":    {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", nil}, 201, "", ""},
		"a start in the past means now":    {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", startingAt("2026-03-01T09:00:00+01:00")}, 201, "", ""},
		"beside a permanent assignment":    {func(w *world) { must(w.t, w.server.Portal().Assign("ada", "alice", cast.RoleAnalyst, "", "for good")) }, "alice", cast.RoleAnalyst, nil, 201, "", ""},
		"direct member and activated":      {func(w *world) { must(w.t, w.server.AddMember(cast.RoleAnalyst, "alice")) }, "alice", cast.RoleAnalyst, nil, 201, "", ""},
		"scheduled after the running one":  {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", startingAt("2026-03-02T22:00:00Z")}, 201, "", ""},
		"with a ticket where one is asked": {withPolicy(func(p *cast.Policy) { p.Ticketing = true }), "alice", cast.RoleAnalyst, []any{"ticketInfo", map[string]any{"ticketNumber": "INC-1", "ticketSystem": "x"}}, 201, "", ""},
	} {
		t.Run(name, row.run)
	}
}

// TestActivationsThatPIMRefuses has a row for each rule.
func TestActivationsThatPIMRefuses(t *testing.T) {
	t.Parallel()
	const rules = "RoleAssignmentRequestPolicyValidationFailed"
	for name, row := range map[string]activationCase{
		"not eligible":                 {nil, "carol", cast.RoleAnalyst, nil, 400, rules, `["EligibilityRule"]`},
		"no justification":             {nil, "alice", cast.RoleAnalyst, []any{"justification", nil}, 400, rules, `["JustificationRule"]`},
		"blank justification":          {nil, "alice", cast.RoleAnalyst, []any{"justification", "  "}, 400, rules, `["JustificationRule"]`},
		"longer than allowed":          {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", lasting("PT10H1M")}, 400, rules, `["ExpirationRule"]`},
		"for ever":                     {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", map[string]any{"expiration": map[string]any{"type": "noExpiration"}}}, 400, rules, `["ExpirationRule"]`},
		"no ticket where one is asked": {withPolicy(func(p *cast.Policy) { p.Ticketing = true }), "alice", cast.RoleAnalyst, nil, 400, rules, `["TicketingRule"]`},
		"no second factor":             {passwordOnly, "alice", cast.RoleAnalyst, nil, 400, rules, `["MfaRule"]`},
		"every broken rule is named":   {withPolicy(func(p *cast.Policy) { p.Ticketing = true }), "carol", cast.RoleAnalyst, []any{"justification", nil, "scheduleInfo", lasting("P2D")}, 400, rules, `["EligibilityRule","ExpirationRule","JustificationRule","TicketingRule"]`},
		"shorter than five minutes":    {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", lasting("PT4M59S")}, 400, "ActiveDurationTooShort", ""},
		"already active":               {activeAnalyst, "alice", cast.RoleAnalyst, nil, 400, "RoleAssignmentExists", ""},
		"one is pending":               {func(w *world) { w.activate("alice", cast.RoleAdministrator) }, "alice", cast.RoleAdministrator, nil, 400, "PendingRoleAssignmentRequest", ""},
		"overlaps a scheduled one": {func(w *world) {
			w.activate("alice", cast.RoleAnalyst, "scheduleInfo", startingAt("2026-03-02T09:30:00Z"))
		}, "alice", cast.RoleAnalyst, nil, 400, "OverlapsPendingRoleAssignmentRequests", ""},
		"start without an offset":         {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", startingAt("2026-03-02T09:30:00")}, 400, "InvalidRoleAssignmentRequest", "offset"},
		"end before the start":            {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", map[string]any{"expiration": map[string]any{"type": "afterDateTime", "endDateTime": "2026-03-02T08:00:00Z"}}}, 400, "InvalidRoleAssignmentRequestSchedule", ""},
		"weeks are no duration":           {nil, "alice", cast.RoleAnalyst, []any{"scheduleInfo", lasting("P1W")}, 400, "InvalidRoleAssignmentRequestSchedule", ""},
		"for somebody else":               {nil, "alice", cast.RoleAnalyst, []any{"principalId", "0be0b1e5-0000-4000-8000-000000000004"}, 403, "InsufficientPermissions", ""},
		"unknown group":                   {nil, "alice", cast.RoleAnalyst, []any{"groupId", "11111111-2222-4333-8444-555555555555"}, 400, "RoleNotFound", ""},
		"unknown principal":               {nil, "alice", cast.RoleAnalyst, []any{"principalId", "11111111-2222-4333-8444-555555555555"}, 400, "SubjectNotFound", ""},
		"unknown action":                  {nil, "alice", cast.RoleAnalyst, []any{"action", "selfDestroy"}, 400, "BadRequest", "selfDestroy"},
		"unknown property":                {nil, "alice", cast.RoleAnalyst, []any{"reason", "x"}, 400, "BadRequest", "reason"},
		"unknown access":                  {nil, "alice", cast.RoleAnalyst, []any{"accessId", "guest"}, 400, "InvalidRoleAssignmentRequest", ""},
		"nothing to deactivate":           {nil, "alice", cast.RoleAnalyst, []any{"action", "selfDeactivate", "scheduleInfo", nil}, 404, "RoleAssignmentDoesNotExist", ""},
		"deactivating after four minutes": {activeFourMinutes, "alice", cast.RoleAnalyst, []any{"action", "selfDeactivate", "scheduleInfo", nil}, 400, "ActiveDurationTooShort", ""},
		"requesters are no owners":        {nil, "alice", cast.RoleAnalyst, []any{"action", "adminAssign"}, 403, "InsufficientPermissions", ""},
		"extending is not supported":      {nil, "alice", cast.RoleAnalyst, []any{"action", "selfExtend"}, 400, "InvalidRoleAssignmentRequest", ""},
	} {
		t.Run(name, row.run)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRulesOfApproval(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before         func(*world, string)
		requester, who string
		result, reason string
		status         int
		code, after    string
	}{
		"an approver approves":        {nil, "alice", "bob", "Approve", "ok", 204, "", "Provisioned"},
		"an approver denies":          {nil, "alice", "carol", "deny", "freeze", 204, "", "Denied"},
		"requester cannot approve":    {nil, "bob", "bob", "Approve", "ok", 400, "BadRequest", "PendingApproval"},
		"only approvers decide":       {nil, "alice", "dan", "Approve", "ok", 403, "Forbidden", "PendingApproval"},
		"a decision needs a reason":   {nil, "alice", "bob", "Approve", "", 400, "RoleAssignmentRequestPolicyValidationFailed", "PendingApproval"},
		"a decision is made once":     {func(w *world, id string) { w.decide("carol", id, "Deny", "no") }, "alice", "bob", "Approve", "ok", 409, "Conflict", "Denied"},
		"a canceled request is over":  {func(w *world, id string) { must(w.t, w.server.Portal().Cancel("alice", id)) }, "alice", "bob", "Approve", "ok", 409, "Conflict", "Canceled"},
		"after a day it is too late":  {func(w *world, _ string) { w.clock.Advance(24 * time.Hour) }, "alice", "bob", "Approve", "ok", 409, "Conflict", "PendingApproval"},
		"a minute before it is not":   {func(w *world, _ string) { w.clock.Advance(24*time.Hour - time.Minute) }, "alice", "bob", "Approve", "ok", 204, "", "Provisioned"},
		"a decision is one of two":    {nil, "alice", "bob", "Maybe", "ok", 400, "BadRequest", "PendingApproval"},
		"a former approver may not":   {func(w *world, _ string) { w.as("carol"); must(w.t, w.server.RemoveMember(cast.Approvers, "carol")) }, "alice", "carol", "Approve", "ok", 403, "Forbidden", "PendingApproval"},
		"eligibility lost in between": {func(w *world, _ string) { must(w.t, w.server.RemoveMember(cast.PIMAdministrator, "alice")) }, "alice", "bob", "Approve", "ok", 204, "", "Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, simentra.Behavior{})
			id := w.activate(row.requester, cast.RoleAdministrator)["id"].(string)
			if row.before != nil {
				row.before(w, id)
			}
			r := w.decide(row.who, id, row.result, row.reason)
			if r.status != row.status {
				t.Fatalf("got %d %s", r.status, r.body)
			}
			if row.code != "" && r.code(t) != row.code {
				t.Errorf("got code %s", r.code(t))
			}
			if got := w.status(id); got != row.after {
				t.Errorf("the request is %s", got)
			}
		})
	}
}

func TestSelfApprovalIsNamedInTheMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	id := w.activate("bob", cast.RoleAdministrator)["id"].(string)
	if r := w.decide("bob", id, "Approve", "ok"); !strings.Contains(r.body, "Request doesn't allow Self-Approval") {
		t.Errorf("got %s", r.body)
	}
}

func TestAnUndecidedRequestEndsAfterADay(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{"": "PendingApproval", "TimedOut": "TimedOut"} {
		w := newWorld(t, simentra.Behavior{TimeoutStatus: set})
		id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
		w.clock.Advance(25 * time.Hour)
		stage := w.call("bob", http.MethodGet, pim+"assignmentApprovals/"+id+"/stages/"+id, nil).json(t)
		if got := w.status(id); got != want || stage["status"] != "Expired" {
			t.Errorf("status %s, stage %v", got, stage)
		}
		pending := w.value("app", pim+"assignmentScheduleRequests?$filter=groupId eq '"+w.group(cast.RoleAdministrator)+"' and status eq 'PendingApproval'")
		waiting := w.value("bob", pim+"assignmentScheduleRequests/filterByCurrentUser(on='approver')")
		if (len(pending) == 1) != (want == "PendingApproval") || len(waiting) != 0 {
			t.Errorf("pending %v, waiting %v", pending, waiting)
		}
		if again := w.activate("alice", cast.RoleAdministrator); again["status"] != "PendingApproval" {
			t.Errorf("asking again gave %v", again["status"])
		}
	}
}

func TestReleaseEndsTheActivationAndIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{ListLag: time.Minute, MemberLag: time.Second})
	id := w.activate("alice", cast.RoleAnalyst)["id"].(string)
	w.clock.Advance(6 * time.Minute)
	body := w.activation("alice", cast.RoleAnalyst, "action", "selfDeactivate", "scheduleInfo", nil)
	if r := w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", body); r.status != 201 || r.json(t)["status"] != "Revoked" {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if r := w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", body); r.status != 400 || r.code(t) != "RoleAssignmentDoesNotExist" {
		t.Errorf("while the list lags: %d %s", r.status, r.body)
	}
	if len(w.instances(cast.RoleAnalyst)) != 1 {
		t.Error("the list does not lag")
	}
	w.clock.Advance(2 * time.Minute)
	if r := w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", body); r.status != 404 {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
	if w.isMember("alice", cast.RoleAnalyst) || len(w.instances(cast.RoleAnalyst)) != 0 || w.status(id) != "Provisioned" {
		t.Errorf("still there, or status %s", w.status(id))
	}
}

func TestAScheduledActivationBeginsAtItsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	later := map[string]any{"startDateTime": "2026-03-02T22:00:00Z", "expiration": map[string]any{"type": "AfterDateTime", "endDateTime": "2026-03-02T23:00:00Z"}}
	plain := w.activate("alice", cast.RoleAnalyst, "scheduleInfo", later)
	asked := w.activate("erin", cast.RoleAdministrator, "scheduleInfo", later)["id"].(string)
	w.decide("bob", asked, "Approve", "ok")
	if plain["status"] != "Granted" || w.status(asked) != "ScheduleCreated" {
		t.Fatalf("got %v and %s", plain["status"], w.status(asked))
	}
	w.clock.Advance(13*time.Hour + time.Minute)
	if !w.isMember("alice", cast.RoleAnalyst) || !w.isMember("erin", cast.RoleAdministrator) {
		t.Error("nobody became a member at the start")
	}
	if got := w.instances(cast.RoleAdministrator)[0]["endDateTime"]; got != "2026-03-02T23:00:00Z" {
		t.Errorf("it ends at %v", got)
	}
	w.clock.Advance(time.Hour)
	if w.isMember("alice", cast.RoleAnalyst) || w.isMember("erin", cast.RoleAdministrator) {
		t.Error("somebody is a member after the end")
	}
}

func TestOnlyOpenRequestsAreCanceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	pending := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	active := w.activate("alice", cast.RoleAnalyst)["id"].(string)
	cancel := func(who, id string) int {
		return w.call(who, http.MethodPost, pim+"assignmentScheduleRequests/"+id+"/cancel", nil).status
	}
	steps := []struct {
		who, id string
		want    int
	}{{"dan", pending, 403}, {"alice", active, 400}, {"alice", "nothing", 404}, {"alice", pending, 204}, {"alice", pending, 400}}
	for _, s := range steps {
		if got := cancel(s.who, s.id); got != s.want {
			t.Errorf("%s canceling %s: got %d, want %d", s.who, s.id, got, s.want)
		}
	}
	if got := w.status(pending); got != "Canceled" {
		t.Errorf("got %s", got)
	}
}

func TestAdministratorsAssignAndRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	portal := w.server.Portal()
	must(t, portal.Assign("ada", "dan", cast.RoleAdministrator, "PT2H", "cover"))
	must(t, portal.Assign("ada", "carol", cast.RoleAdministrator, "", "for good"))
	if err := portal.Assign("alice", "alice", cast.RoleAdministrator, "", "me"); err == nil {
		t.Error("alice made herself a member")
	}
	kinds := map[any]any{}
	for _, i := range w.instances(cast.RoleAdministrator) {
		kinds[i["principalId"]] = fmt.Sprint(i["assignmentType"], " ", i["endDateTime"])
	}
	if kinds[w.person("dan").ObjectID] != "Assigned 2026-03-02T11:00:00.1234567Z" || kinds[w.person("carol").ObjectID] != "Assigned <nil>" {
		t.Errorf("got %v", kinds)
	}
	must(t, portal.Revoke("ada", "carol", cast.RoleAdministrator, "enough"))
	w.clock.Advance(2 * time.Hour)
	if w.isMember("dan", cast.RoleAdministrator) || w.isMember("carol", cast.RoleAdministrator) {
		t.Error("somebody is still a member")
	}
}

func TestADryRunLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	if r := w.activate("alice", cast.RoleAnalyst, "isValidationOnly", true); r["isValidationOnly"] != true {
		t.Errorf("got %v", r)
	}
	if got := w.server.Portal().Requests(""); len(got) != 0 || w.isMember("alice", cast.RoleAnalyst) {
		t.Errorf("got %v", got)
	}
}

func TestProvisioningCanFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{ProvisioningDelay: time.Second})
	w.server.FailProvisioning(1)
	id := w.activate("alice", cast.RoleAnalyst)["id"].(string)
	w.clock.Advance(time.Minute)
	if got := w.status(id); got != "Failed" || w.isMember("alice", cast.RoleAnalyst) {
		t.Errorf("got %s", got)
	}
}
