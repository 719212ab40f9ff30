package entra_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
)

const requestID = "6aacaee8-4089-4048-9510-3119367fc943"

// looking answers every batch with these items.
func looking(t *testing.T, items batched) *fakeGraph {
	t.Helper()
	return newGraph(t, func(w http.ResponseWriter, call seen) {
		if call.path != "/v1.0/$batch" || call.token != "app" {
			t.Errorf("want a batch as the application, got %s %s", call.token, call.path)
		}
		items.answer(t, w, call)
	})
}

func look(t *testing.T, g *fakeGraph, q pim.Question) pim.Answer {
	t.Helper()
	answer, err := client(t, config(g)).Look(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// whole fails the test for a question that was not answered in all its parts.
func whole(t *testing.T, a pim.Answer) pim.Answer {
	t.Helper()
	if len(a.Failed) > 0 {
		t.Fatalf("failed: %v", a.Failed)
	}
	return a
}

func TestLookReadsEverythingInOneRoundTrip(t *testing.T) {
	g := looking(t, batched{
		{part: "assignmentScheduleRequests/" + requestID, status: 200, body: recorded(t, "get-assignmentScheduleRequest.denied.response.json")},
		{part: "assignmentScheduleRequests/gone", status: 404, body: `{"error":{"code":"ResourceNotFound"}}`},
		{part: "status eq 'PendingApproval'", status: 200, body: recorded(t, "filterByCurrentUser-assignmentScheduleRequests.principal.pendingApproval.response.json")},
		{part: "assignmentScheduleRequests?", status: 200, body: recorded(t, "list-assignmentScheduleRequests.response.json")},
		{part: "assignmentScheduleInstances?$filter=groupId eq '" + string(group) + "' and principalId", status: 200, body: instances},
		{part: "assignmentScheduleInstances?", status: 200, body: recorded(t, "list-assignmentScheduleInstances.response.json")},
		{part: "checkMemberGroups", status: 200, body: `{"value":["` + strings.ToUpper(string(group)) + `"]}`},
	})
	recent, membership := pim.Recent{Group: group, Principal: alice}, pim.Membership{Group: group, Principal: alice}
	answer := whole(t, look(t, g, pim.Question{
		Requests: []string{requestID, "gone"}, Pending: []pim.GroupID{group}, Recent: []pim.Recent{recent},
		Access: []pim.Membership{membership}, Active: []pim.GroupID{group},
	}))
	g.only(t)
	if answer.At != graphClock {
		t.Errorf("at %v, want Graph's clock", answer.At)
	}
	if answer.Requests[requestID].Status != "Denied" || !answer.Gone["gone"] || answer.Gone[requestID] {
		t.Errorf("requests %v gone %v", answer.Requests, answer.Gone)
	}
	if p := answer.Pending[group]; len(p) != 1 || p[0].Ticket != "09876" || p[0].Action != pim.SelfActivate || p[0].Created.IsZero() {
		t.Errorf("pending %+v", p)
	}
	if r := answer.Recent[recent]; len(r) != 1 || r[0].Justification != "Retrieve requests" || r[0].EndTime() != time.Date(2023, 2, 7, 19, 56, 0, 0, time.UTC) {
		t.Errorf("recent %+v", r)
	}
	if a := answer.Access[membership]; !a.Member || len(a.Instances) != 1 || !a.Instances[0].Activated {
		t.Errorf("access %+v", a)
	}
	if a := answer.Active[group]; len(a) != 2 || a[0].Activated || !a[1].End.IsZero() || a[1].Access != pim.Member {
		t.Errorf("active %+v", a)
	}
}

const instances = `{"value":[
 {"id":"1","principalId":"3CCE9D87-3986-4f19-8335-7ed075408ca2","groupId":"2b5ed229-4072-478d-9504-a047ebd4b07d","accessId":"Member","assignmentType":"activated","startDateTime":null,"endDateTime":"2023-09-29T15:48:00"},
 {"id":"2","principalId":"3cce9d87-3986-4f19-8335-7ed075408ca2","groupId":"2b5ed229-4072-478d-9504-a047ebd4b07d","accessId":"owner","assignmentType":"Assigned"}]}`

func TestLookTakesTwentyAtOnce(t *testing.T) {
	var q pim.Question
	var items batched
	for i := range 41 {
		id := fmt.Sprintf("id-%02d", i)
		q.Requests = append(q.Requests, id)
		items = append(items, item{part: "/" + id, status: 200, body: `{"id":"` + id + `","status":"Denied"}`})
	}
	g := looking(t, items)
	if answer := whole(t, look(t, g, q)); len(answer.Requests) != 41 {
		t.Errorf("%d requests", len(answer.Requests))
	}
	if n := len(g.seenCalls()); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	var base string
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		batched{
			{part: "skiptoken=2", status: 200, body: `{"value":[{"id":"c","status":"PendingApproval"}]}`},
			{part: "skiptoken=1", status: 200, body: `{"value":[{"id":"b","status":"PendingApproval"}],"@odata.nextLink":"` + base + `/v1.0/x?$skiptoken=2"}`},
			{part: "PendingApproval", status: 200, body: `{"value":[{"id":"a","status":"PendingApproval"}],"@odata.nextLink":"` + base + `/v1.0/x?$skiptoken=1"}`},
		}.answer(t, w, call)
	})
	base = g.URL
	answer := whole(t, look(t, g, pim.Question{Pending: []pim.GroupID{group}}))
	var ids []string
	for _, c := range answer.Pending[group] {
		ids = append(ids, c.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestListsThatCannotBeTrustedAreFailedAsAWhole(t *testing.T) {
	cases := map[string]struct{ first, next string }{
		"next page at another host":    {`{"value":[{"id":"a"}],"@odata.nextLink":"https://evil.example/v1.0/x"}`, ""},
		"next page at another version": {`{"value":[{"id":"a"}],"@odata.nextLink":"HOST/beta/x?$skiptoken=1"}`, ""},
		"no end":                       {`{"value":[{"id":"a"}],"@odata.nextLink":"HOST/v1.0/x?$skiptoken=1"}`, `{"value":[],"@odata.nextLink":"HOST/v1.0/x?$skiptoken=1"}`},
		"second page refused":          {`{"value":[{"id":"a"}],"@odata.nextLink":"HOST/v1.0/x?$skiptoken=1"}`, `refused`},
		"no list":                      {`{"id":"a"}`, ""},
		"an impossible time":           {`{"value":[{"id":"a","createdDateTime":"yesterday"}]}`, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var host string
			g := newGraph(t, func(w http.ResponseWriter, call seen) {
				next := item{part: "skiptoken", status: 200, body: strings.ReplaceAll(tc.next, "HOST", host)}
				if tc.next == "refused" {
					next = item{part: "skiptoken", status: 403, body: `{"error":{"code":"nope"}}`}
				}
				batched{next, {part: "PendingApproval", status: 200, body: strings.ReplaceAll(tc.first, "HOST", host)}}.answer(t, w, call)
			})
			host = g.URL
			answer := look(t, g, pim.Question{Pending: []pim.GroupID{group}})
			if _, there := answer.Pending[group]; there || len(answer.Failed) != 1 {
				t.Errorf("pending %v, failed %v", answer.Pending, answer.Failed)
			}
		})
	}
}

func TestHalfAnAccessIsNone(t *testing.T) {
	g := looking(t, batched{
		{part: "assignmentScheduleInstances", status: 200, body: `{"value":[]}`},
		{part: "checkMemberGroups", status: 403, body: `{"error":{"code":"Authorization_RequestDenied"}}`},
	})
	answer := look(t, g, pim.Question{Access: []pim.Membership{{Group: group, Principal: alice}}})
	if len(answer.Access) != 0 || len(answer.Failed) != 1 || pim.Explain(answer.Failed[0]).Kind != pim.Administered {
		t.Errorf("access %v, failed %v", answer.Access, answer.Failed)
	}
}

func TestAPersonTheDirectoryForgotIsInNoGroup(t *testing.T) {
	gone := `{"error":{"code":"Request_ResourceNotFound","message":"Resource does not exist."}}`
	g := looking(t, batched{
		{part: "assignmentScheduleInstances", status: 200, body: `{"value":[]}`},
		{part: "users/", status: 404, body: gone},
	})
	m := pim.Membership{Group: group, Principal: alice}
	answer := whole(t, look(t, g, pim.Question{Access: []pim.Membership{m}, Profiles: []pim.PrincipalID{alice}}))
	if a, there := answer.Access[m]; !there || a.Member {
		t.Errorf("access %+v %v", a, there)
	}
	if p, there := answer.Profiles[alice]; !there || p.Found || p.ID != alice {
		t.Errorf("profile %+v %v", p, there)
	}
}

func TestAnEmptyQuestionCallsNobody(t *testing.T) {
	g := looking(t, nil)
	whole(t, look(t, g, pim.Question{}))
	if n := len(g.seenCalls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestOnlyTheAnswerToTheQuestionIsTaken(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(recorded(t, "get-assignmentScheduleRequest.denied.response.json")))
	g := looking(t, batched{
		{part: "/" + requestID, status: 200, body: `"` + encoded + `"`},
		{part: "/other", status: 200, body: recorded(t, "get-assignmentScheduleRequest.response.json")},
		{part: "/empty", status: 200, body: `{}`},
		{part: "/bad", status: 200, body: `"PGh0bWw+"`},
		{part: "/none", status: 200, body: `null`},
		{part: "/number", status: 200, body: `7`},
	})
	answer := look(t, g, pim.Question{Requests: []string{requestID, "bad", "none", "number", "other", "empty"}})
	if len(answer.Requests) != 1 || answer.Requests[requestID].Status != "Denied" || len(answer.Failed) != 5 {
		t.Errorf("%+v", answer)
	}
}

func TestABatchThatIsNoneIsAnError(t *testing.T) {
	for _, body := range []string{"", "[]", "<html>", `{"responses":7}`, `{"responses":[{"id":"0","status":"200"}]}`} {
		g := newGraph(t, func(w http.ResponseWriter, _ seen) { reply(w, http.StatusOK, body) })
		_, err := client(t, config(g)).Look(t.Context(), pim.Question{Requests: []string{"1"}})
		if e := explain(t, err); e.Kind != pim.Unavailable {
			t.Errorf("%q: %s", body, e.Kind)
		}
	}
	g := newGraph(t, func(w http.ResponseWriter, _ seen) {
		reply(w, http.StatusOK, `{"responses":[{"id":"other","status":200}]}`)
	})
	if answer := look(t, g, pim.Question{Requests: []string{"1"}}); len(answer.Failed) != 1 || len(answer.Requests)+len(answer.Gone) != 0 {
		t.Errorf("a question without an answer: %+v", answer)
	}
}
