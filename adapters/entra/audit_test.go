package entra_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/sim/cast"
)

// rowsOf is a page of the audit log.
func rowsOf(next string, rows ...string) string {
	if next != "" {
		next = `"@odata.nextLink":"` + next + `",`
	}
	return `{` + next + `"value":[` + strings.Join(rows, ",") + `]}`
}

func auditRow(id, service, result, by string) string {
	return fmt.Sprintf(`{"id":%q,"activityDateTime":"2026-03-02T09:00:00Z","activityDisplayName":"Add member to group","loggedByService":%q,"result":%q,
		"resultReason":"because","initiatedBy":%s,"targetResources":[{"id":%q},{"id":%q}],
		"additionalDetails":[{"key":"roleassignmentrequestid","value":%q}]}`, id, service, result, by, strings.ToUpper(string(group)), alice, requestID)
}

func TestAuditedReadsWhoDidWhatAndOnlyWhatSucceeded(t *testing.T) {
	const user = `{"user":{"id":"3CCE9D87-3986-4F19-8335-7ED075408CA2","displayName":"Alice"},"app":null}`
	g := looking(t, batched{{part: "auditLogs/directoryAudits", status: 200, body: rowsOf("",
		auditRow("1", "PIM", "success", user),
		auditRow("2", "Core Directory", "success", `{"user":null,"app":{"appId":null,"displayName":"MS-PIM"}}`),
		auditRow("3", "Core Directory", "success", `{"user":null,"app":{"appId":"01FC33A7-78BA-4D2F-A4B7-768E336E890E","displayName":"whatever"}}`),
		auditRow("4", "Core Directory", "success", `{"user":null,"app":{"appId":"11111111-78ba-4d2f-a4b7-768e336e890e","displayName":"MS-PIM"}}`),
		auditRow("5", "Privileged Identity Management", "failure", user),
		auditRow("6", "Privileged Identity Management", "success", `null`),
		auditRow("", "PIM", "success", user),
	)}})
	log, err := client(t, config(g)).Audited(t.Context(), group, time.Date(2026, 3, 2, 8, 0, 0, 500, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	g.only(t)
	said := ""
	for _, e := range log.Entries {
		said += fmt.Sprintf("%s pim=%t by=%s %q bypim=%t; ", e.ID, e.OfPIM, e.By, e.Name, e.ByPIM)
	}
	want := `1 pim=true by=` + string(alice) + ` "Alice" bypim=false; 2 pim=false by= "MS-PIM" bypim=true; ` +
		`3 pim=false by= "whatever" bypim=true; 4 pim=false by= "MS-PIM" bypim=false; 6 pim=true by= "" bypim=false; `
	if said != want || log.Calls != 1 || log.Cut {
		t.Errorf("read %s, %d calls, cut %t", said, log.Calls, log.Cut)
	}
	if e := log.Entries[0]; e.Request != requestID || e.Reason != "because" || len(e.About) != 2 || e.About[0] != string(group) || e.At.Hour() != 9 {
		t.Errorf("%+v", e)
	}
}

// A log without an end is read in part; the rest comes after a while.
func TestAuditedAsksSparingly(t *testing.T) {
	var g *fakeGraph
	g = newGraph(t, func(w http.ResponseWriter, call seen) {
		body := rowsOf(g.URL+"/v1.0/auditLogs/directoryAudits?$skiptoken=more", auditRow("1", "PIM", "success", `null`))
		batched{{part: "auditLogs/directoryAudits", status: 200, body: body}}.answer(t, w, call)
	})
	log, err := client(t, config(g)).Audited(t.Context(), group, time.Now())
	if err != nil || !log.Cut || log.Calls != 4 || len(log.Entries) != 4 || len(g.seenCalls()) != 4 {
		t.Errorf("%d calls brought %d rows, cut %t, %v", log.Calls, len(log.Entries), log.Cut, err)
	}
}

func TestAuditedIsThrottledAsAWhole(t *testing.T) {
	g := looking(t, batched{{part: "auditLogs/directoryAudits", status: 429, header: map[string]any{"Retry-After": "30"}, body: `{"error":{"code":"TooManyRequests"}}`}})
	_, err := client(t, config(g)).Audited(t.Context(), group, time.Now())
	if e := explain(t, err); e.Kind != pim.Throttled || e.RetryAfter != 30*time.Second {
		t.Errorf("%+v", e)
	}
}

func TestTheSandboxLogsWhatPIMDid(t *testing.T) {
	tt := newTenant(t)
	role := tt.group(t, cast.RoleAdministrator)
	began := tt.clock.Now()
	asked, err := tt.activate(t, "alice", role)
	if err != nil {
		t.Fatal(err)
	}
	if err := tt.server.Portal().Approve("bob", asked.ID, "checked by phone"); err != nil {
		t.Fatal(err)
	}
	tt.clock.Advance(10 * time.Minute)
	if err := tt.server.Portal().Revoke("ada", "alice", cast.RoleAdministrator, "left her desk"); err != nil {
		t.Fatal(err)
	}
	if early, err := tt.Audited(t.Context(), role, tt.clock.Now().Add(-time.Minute)); err != nil || len(early.Entries) > 0 {
		t.Errorf("at once there is %+v, %v", early, err)
	}
	tt.clock.Advance(5 * time.Minute)
	log, err := tt.Audited(t.Context(), role, began.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	r := pim.Request{
		Group: role, Principal: tt.people["alice"].Person, Copy: asked, State: pim.Ended, Ending: pim.Unknown, Created: began,
		MemberSince: began.Add(5 * time.Second), EndedAt: began.Add(11 * time.Minute), Decided: &pim.Decided{Approve: true, Chat: pim.Portal},
	}
	r.TakeEvidence(log.Entries)
	if missing := r.Untraced(); len(missing) > 0 || !r.LearnWho() {
		t.Fatalf("without %v in %+v", missing, log.Entries)
	}
	if by := r.Decided; by.By.Person != tt.people["bob"].Person || by.Reason != "checked by phone" {
		t.Errorf("decided %+v", by)
	}
	r.LearnWho()
	if !strings.HasPrefix(r.Why, "It was ended in PIM by Ada") || !strings.HasSuffix(r.Why, "left her desk.") {
		t.Errorf("why: %s", r.Why)
	}
}
