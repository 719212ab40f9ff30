package simentra_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func TestFaultsStrikeWhatTheyAreMeantFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	const groups = "/v1.0/groups"
	for name, row := range map[string]struct {
		fault simentra.Fault
		want  []int // of calls one after the other
		text  string
		wait  string
	}{
		"throttled twice":          {simentra.Fault{Path: "/groups", Count: 2, Status: 429, RetryAfter: "7"}, []int{429, 429, 200}, "TooManyRequests", "7"},
		"throttled without a time": {simentra.Fault{Count: 1, Status: 429}, []int{429, 200}, "TooManyRequests", ""},
		"the second call":          {simentra.Fault{Skip: 1, Count: 1, Status: 503}, []int{200, 503, 200}, "", ""},
		"a gateway's page":         {simentra.Fault{Count: 1, Status: 502, Body: simentra.BodyHTML}, []int{502, 200}, "<h1>502", ""},
		"JSON that breaks off":     {simentra.Fault{Count: 1, Status: 500, Body: simentra.BodyTruncated}, []int{500, 200}, `{"error":{"code":"Unk`, ""},
		"an empty body":            {simentra.Fault{Count: 1, Status: 504, Body: simentra.BodyEmpty}, []int{504, 200}, "", ""},
		"an empty object":          {simentra.Fault{Count: 1, Status: 400, Body: simentra.BodyObject}, []int{400, 200}, "{}", ""},
		"a null error":             {simentra.Fault{Count: 1, Status: 400, Body: simentra.BodyNullError}, []int{400, 200}, `{"error":null}`, ""},
		"a code and nothing else":  {simentra.Fault{Count: 1, Status: 400, Body: simentra.BodyNoMessage}, []int{400, 200}, `{"error":{"code":"x"}}`, ""},
		"another method":           {simentra.Fault{Method: "POST", Status: 503}, []int{200}, "", ""},
		"another path":             {simentra.Fault{Path: "/users", Status: 503}, []int{200}, "", ""},
		"the sign-in service":      {simentra.Fault{Side: "login", Status: 503}, []int{200}, "", ""},
		"until it is mended":       {simentra.Fault{Status: 503}, []int{503, 503, 503}, "", ""},
		"only slow":                {simentra.Fault{Delay: time.Millisecond}, []int{200}, "", ""},
	} {
		w.as("app")
		w.server.Break(row.fault)
		for i, want := range row.want {
			r := w.call("app", http.MethodGet, groups, nil)
			if r.status != want {
				t.Errorf("%s: call %d got %d", name, i, r.status)
			}
			if want >= 400 && (!strings.Contains(r.body, row.text) || r.header.Get("Retry-After") != row.wait) {
				t.Errorf("%s: got %q, Retry-After %q", name, r.body, r.header.Get("Retry-After"))
			}
		}
		w.server.Mend()
	}
}

func TestAConnectionBreaksBeforeOrAfterTheWork(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		w := newWorld(t, simentra.Behavior{})
		raw, err := json.Marshal(w.activation("alice", cast.RoleAnalyst))
		must(t, err)
		token := w.as("alice")
		w.server.Break(simentra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Count: 1, Drop: true, AfterWork: after})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.graph+pim+"assignmentScheduleRequests", strings.NewReader(string(raw)))
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := w.client.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			t.Fatalf("got an answer: %d", resp.StatusCode)
		}
		if broken := (&url.Error{}); !errors.As(err, &broken) {
			t.Errorf("got %v", err)
		}
		if done := len(w.server.Portal().Requests("alice")) == 1; done != after {
			t.Errorf("after the work %v: done %v", after, done)
		}
	}
}

func TestAGatewayTimesOutAlthoughTheWorkWasDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.as("alice")
	w.server.Break(simentra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Count: 1, Status: 504, AfterWork: true})
	ask := func() reply {
		return w.call("alice", http.MethodPost, pim+"assignmentScheduleRequests", w.activation("alice", cast.RoleAdministrator))
	}
	if r := ask(); r.status != http.StatusGatewayTimeout {
		t.Fatalf("got %d", r.status)
	}
	if r := ask(); r.code(t) != "PendingRoleAssignmentRequest" {
		t.Errorf("the second try got %s", r.body)
	}
}

func TestSignInFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.server.Break(simentra.Fault{Side: "login", Path: "/token", Count: 1, Status: 503})
	r := w.token(url.Values{})
	if r.status != http.StatusServiceUnavailable || !strings.Contains(r.body, "AADSTS90033") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	w.as("app")
}

func (w *world) batch(items ...map[string]any) (map[string]map[string]any, []string, reply) {
	w.t.Helper()
	r := w.call("app", http.MethodPost, "/v1.0/$batch", map[string]any{"requests": items})
	out, order := map[string]map[string]any{}, []string{}
	if r.status == http.StatusOK {
		for _, item := range r.json(w.t)["responses"].([]any) {
			m := item.(map[string]any)
			out[m["id"].(string)] = m
			order = append(order, m["id"].(string))
		}
	}
	return out, order, r
}

func item(id, method, address string, pairs ...any) map[string]any {
	m := map[string]any{"id": id, "method": method, "url": address}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

func TestBatchesAreJudgedItemByItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	role := w.group(cast.RoleAnalyst)
	w.as("app")
	w.server.Break(simentra.Fault{ItemsOnly: true, Path: "/users", Count: 1, Status: 429, RetryAfter: "3"})
	got, order, _ := w.batch(
		item("list", "GET", strings.TrimPrefix(pim, "/v1.0")+"assignmentScheduleInstances?$filter=groupId eq '"+role+"'"),
		item("slow", "GET", "users/"+w.person("alice").ObjectID),
		item("gone", "GET", "/groups/11111111-2222-4333-8444-555555555555"),
		item("after", "GET", "/groups/"+role, "dependsOn", []string{"gone"}),
		item("check", "POST", "/users/"+w.person("alice").ObjectID+"/checkMemberGroups",
			"body", map[string]any{"groupIds": []string{role}}, "headers", map[string]string{"content-type": "application/json"}))
	for id, want := range map[string]float64{"list": 200, "slow": 429, "gone": 404, "after": 424, "check": 200} {
		if got[id]["status"] != want {
			t.Errorf("%s: got %v", id, got[id])
		}
	}
	if got["slow"]["headers"].(map[string]any)["Retry-After"] != "3" || order[0] == "list" {
		t.Errorf("got %v in order %v", got["slow"], order)
	}
	w.server.SetBehavior(func(b *simentra.Behavior) { b.AuditLimit = 1 })
	audits := item("1", "GET", "/auditLogs/directoryAudits")
	again, _, _ := w.batch(audits, item("2", "GET", "/auditLogs/directoryAudits"))
	if again["1"]["status"] != 200.0 || again["2"]["status"] != 429.0 {
		t.Errorf("got %v", again)
	}
}

func TestBadBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	many := make([]map[string]any, 21)
	for i := range many {
		many[i] = item(strings.Repeat("x", i+1), "GET", "/groups")
	}
	for name, items := range map[string][]map[string]any{
		"too many":            many,
		"none":                {},
		"twice the same id":   {item("1", "GET", "/groups"), item("1", "GET", "/groups")},
		"no method":           {item("1", "", "/groups")},
		"a body without type": {item("1", "POST", "/groups", "body", map[string]any{})},
		"unknown dependency":  {item("1", "GET", "/groups", "dependsOn", []string{"2"})},
	} {
		if _, _, r := w.batch(items...); r.status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", name, r.status, r.body)
		}
	}
	if got, _, r := w.batch(many[:20]...); len(got) != 20 {
		t.Errorf("twenty: got %d %s", r.status, r.body)
	}
}

func TestCallsAreCountedByOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	w.as("app")
	w.server.ResetCalls()
	w.status(id)
	w.status(id)
	w.batch(item("1", "GET", "/groups"), item("2", "GET", "/nothing"))
	base := "/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/{id}"
	for name, want := range map[string]int{"GET " + base: 2, "POST /$batch": 1, "GET /groups": 1, "unknown": 1, "GET /users": 0} {
		if got := w.server.Calls()[name]; got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}

func TestTripsAreHTTPRequestsWithABatchAsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	w.as("app")
	w.server.ResetCalls()
	w.batch(item("1", "GET", "/groups"), item("2", "GET", "/nothing"))
	w.as("alice")
	id := w.activate("alice", cast.RoleAdministrator)["id"].(string)
	want := []simentra.Trip{
		{Operation: "POST /$batch", By: "app", Items: []string{"GET /groups", "unknown"}},
		{Operation: "POST /identityGovernance/privilegedAccess/group/assignmentScheduleRequests", By: "alice"},
	}
	if got := w.server.Trips(); !reflect.DeepEqual(got, want) {
		t.Errorf("request %s: got %+v", id, got)
	}
	w.server.ResetCalls()
	if got := w.server.Trips(); len(got) > 0 {
		t.Errorf("after the reset: %+v", got)
	}
}

func TestThePortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	portal := w.server.Portal()
	p, err := w.server.Policy(cast.RoleAdministrator)
	must(t, err)
	p.MFA, p.AuthContext = true, "c3"
	must(t, w.server.SetPolicy(p))
	id, err := portal.Activate(simentra.Activation{Person: "alice", Group: cast.RoleAdministrator, Duration: "PT8H", Justification: "[elevate ABCDEF]"})
	must(t, err)
	if err := portal.Approve("alice", id, "me"); err == nil {
		t.Error("alice approved herself")
	}
	must(t, portal.Approve("carol", id, "fine"))
	seen := portal.Requests("alice")
	if len(seen) != 1 || seen[0].Status != "Provisioned" || seen[0].DecidedBy != "carol" || seen[0].Duration != "PT8H" || seen[0].Group != cast.RoleAdministrator {
		t.Errorf("got %+v", seen)
	}
	if got, err := portal.Members(cast.RoleAdministrator); err != nil || len(got) != 1 || got[0] != "alice" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := portal.Release("alice", cast.RoleAdministrator, "done"); err == nil {
		t.Error("released before five minutes had passed")
	}
	w.clock.Advance(5 * time.Minute)
	must(t, portal.Release("alice", cast.RoleAdministrator, "done"))
	denied, err := portal.Activate(simentra.Activation{Person: "erin", Group: cast.RoleAdministrator, Until: w.clock.Now().Add(time.Hour), Justification: "x"})
	must(t, err)
	must(t, portal.Deny("bob", denied, "no"))
	if err := portal.Cancel("erin", denied); err == nil {
		t.Error("a denied request was canceled")
	}
	for name, err := range map[string]error{
		"person": portal.Cancel("nobody", denied), "request": portal.Approve("bob", "x", "x"),
		"group": w.server.AddMember("no group", "alice"), "member": w.server.RemoveMember(cast.Auditors, "alice"), "account": w.server.SetEnabled("nobody", true),
	} {
		if err == nil {
			t.Errorf("an unknown %s was taken", name)
		}
	}
}
