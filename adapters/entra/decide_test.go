package entra_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
)

// approval answers with one stage and takes decisions with this status.
func approval(t *testing.T, stage string, decided int) *fakeGraph {
	t.Helper()
	return newGraph(t, func(w http.ResponseWriter, call seen) {
		if call.method == http.MethodGet {
			reply(w, http.StatusOK, `{"value":[`+stage+`]}`)
			return
		}
		if decided == http.StatusNoContent {
			w.WriteHeader(decided)
			return
		}
		reply(w, decided, `{"error":{"code":"","message":"no"}}`)
	})
}

func TestDecideSendsTheRecordedBodies(t *testing.T) {
	cases := map[string]struct {
		recorded string
		ruling   pim.Ruling
	}{
		"approve": {"update-approvalStage.approve.request.json", pim.Ruling{ApprovalID: "a1", Approve: true, Justification: "OK"}},
		"deny":    {"update-approvalStage.deny.request.json", pim.Ruling{ApprovalID: "a1", Justification: "Change freeze in effect."}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := approval(t, recorded(t, "get-approvalStage.response.json"), http.StatusNoContent)
			stage, err := client(t, config(g)).Decide(t.Context(), aliceActs, tc.ruling)
			if err != nil || stage.Status != "InProgress" || !stage.AssignedToMe {
				t.Fatalf("%+v, %v", stage, err)
			}
			calls := g.seenCalls()
			const stages = "/v1.0/identityGovernance/privilegedAccess/group/assignmentApprovals/a1/stages"
			if len(calls) != 2 || calls[0].path != stages || calls[1].path != stages+"/d4fa4045-4716-436d-aec5-57b0a713f095" || calls[1].method != http.MethodPatch {
				t.Fatalf("calls %v", calls)
			}
			if diff := cmp.Diff(object(t, recorded(t, tc.recorded)), object(t, calls[1].body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecideSendsNothingThatPIMWouldRefuse(t *testing.T) {
	stage := recorded(t, "get-approvalStage.response.json")
	cases := map[string]struct {
		stage string
		kind  pim.Kind
	}{
		"not assigned to this person": {strings.Replace(stage, `"assignedToMe": true`, `"assignedToMe": false`, 1), pim.Forbidden},
		"nobody says it is assigned":  {strings.Replace(stage, `"assignedToMe": true`, `"assignedToMe": null`, 1), pim.Forbidden},
		"approved by somebody":        {strings.Replace(stage, `"NotReviewed"`, `"Approve"`, 1), pim.Conflict},
		"completed":                   {strings.Replace(stage, `"InProgress"`, `"completed"`, 1), pim.Conflict},
		"expired":                     {strings.Replace(stage, `"InProgress"`, `"Expired"`, 1), pim.Conflict},
		"not open yet":                {strings.Replace(stage, `"InProgress"`, `"Initializing"`, 1), pim.Unavailable},
		"no stage":                    {``, pim.NotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := approval(t, tc.stage, http.StatusNoContent)
			_, err := client(t, config(g)).Decide(t.Context(), aliceActs, pim.Ruling{ApprovalID: "a1", Approve: true})
			if e := explain(t, err); e.Kind != tc.kind {
				t.Errorf("%s: %s", e.Kind, e.Message)
			}
			g.only(t)
		})
	}
}

func TestDecideTakesTheSpellingAsItComes(t *testing.T) {
	stage := strings.NewReplacer(`"InProgress"`, `"inprogress"`, `"NotReviewed"`, `"notReviewed"`, "assignedToMe", "AssignedToMe").
		Replace(recorded(t, "get-approvalStage.response.json"))
	if _, err := client(t, config(approval(t, stage, http.StatusNoContent))).Decide(t.Context(), aliceActs, pim.Ruling{ApprovalID: "a1"}); err != nil {
		t.Error(err)
	}
}

func TestDecideRefusals(t *testing.T) {
	for status, kind := range map[int]pim.Kind{403: pim.Forbidden, 404: pim.NotFound, 409: pim.Conflict, 504: pim.AnswerLost, 429: pim.Throttled} {
		g := approval(t, recorded(t, "get-approvalStage.response.json"), status)
		stage, err := client(t, config(g)).Decide(t.Context(), aliceActs, pim.Ruling{ApprovalID: "a1", Approve: true})
		if e := explain(t, err); e.Kind != kind || stage.ID == "" {
			t.Errorf("%d: %s, stage %+v", status, e.Kind, stage)
		}
	}
}

func TestAssignedPrefersTheStageOfThisPerson(t *testing.T) {
	mine, other := `{"id":"mine","assignedToMe":true,"status":"InProgress"}`, `{"id":"other","status":"InProgress"}`
	done := `{"id":"done","assignedToMe":true,"status":"Completed","reviewResult":"Approve","reviewedDateTime":"2023-02-07T07:20:00Z","reviewedBy":{"id":"3CCE9D87-3986-4f19-8335-7ed075408ca2","displayName":"Bob"}}`
	for name, tc := range map[string]struct{ stages, want string }{
		"the open one": {done + "," + mine + "," + other, "mine"}, "the decided one": {other + "," + done, "done"}, "the open one of others": {other, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			stage, err := client(t, config(approval(t, tc.stages, 204))).Assigned(t.Context(), aliceActs, "a1")
			if err != nil || stage.ID != tc.want {
				t.Errorf("%+v, %v", stage, err)
			}
			if tc.want == "done" && (stage.ReviewedBy != alice || stage.ReviewedName != "Bob" || stage.Reviewed.IsZero()) {
				t.Errorf("%+v", stage)
			}
		})
	}
}

func TestWaitingListsPendingApprovalsOfThisPerson(t *testing.T) {
	var host string
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		switch {
		case strings.Contains(call.query, "skiptoken"):
			reply(w, http.StatusOK, `{"value":[{"id":"2","status":"pendingapproval"},{"id":"3","status":"Provisioned"}]}`)
		default:
			if call.path != "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/filterByCurrentUser(on='approver')" ||
				call.query != "$filter=status eq 'PendingApproval'" || call.token != "person "+string(alice) {
				t.Errorf("asked %+v", call)
			}
			body := recorded(t, "filterByCurrentUser-assignmentScheduleRequests.principal.pendingApproval.response.json")
			reply(w, http.StatusOK, strings.Replace(body, `{`, `{"@odata.nextLink":"`+host+`/v1.0/next?$skiptoken=1",`, 1))
		}
	})
	host = g.URL
	copies, err := client(t, config(g)).Waiting(t.Context(), aliceActs)
	if err != nil || len(copies) != 2 || copies[0].ID != "12345" || copies[1].ID != "2" {
		t.Errorf("%+v, %v", copies, err)
	}
	if calls := g.seenCalls(); len(calls) != 2 || calls[1].token != "person "+string(alice) {
		t.Errorf("calls %v", calls)
	}
}

func TestWaitingFollowsNobodyElse(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, _ seen) {
		reply(w, http.StatusOK, `{"value":[],"@odata.nextLink":"https://evil.example/v1.0/next"}`)
	})
	_, err := client(t, config(g)).Waiting(t.Context(), aliceActs)
	if e := explain(t, err); e.Kind != pim.Unavailable {
		t.Errorf("%s", e.Kind)
	}
	g.only(t)
}
