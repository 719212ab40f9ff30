package entra_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"elevate/internal/pim"
)

// TestEveryStatusOfEveryOperation holds for the operations that TestEveryStatus leaves out, those whose rows differ, that
// each status becomes a kind and a sentence, and that nothing is sent twice.
func TestEveryStatusOfEveryOperation(t *testing.T) {
	var status int
	refused := func(w http.ResponseWriter, call seen) {
		if call.method == http.MethodGet && strings.HasSuffix(call.path, "/a1/stages") {
			reply(w, http.StatusOK, `{"value":[`+recorded(t, "get-approvalStage.response.json")+`]}`)
			return
		}
		w.Header().Set("Retry-After", "9")
		reply(w, status, `{"error":{"code":"","message":"SECRET"}}`)
	}
	g := newGraph(t, refused)
	c := client(t, config(g))
	for name, op := range map[string]struct {
		changes bool
		calls   int
		do      func(context.Context) error
	}{
		"cancel": {true, 1, func(ctx context.Context) error { return c.Cancel(ctx, aliceActs, "34e963f6") }},
		"decide": {true, 2, func(ctx context.Context) error {
			_, err := c.Decide(ctx, aliceActs, pim.Ruling{ApprovalID: "a1", Approve: true, Justification: "OK"})
			return err
		}},
		"stages": {false, 1, func(ctx context.Context) error {
			_, err := c.Assigned(ctx, aliceActs, "a2")
			return err
		}},
		"waiting": {false, 1, func(ctx context.Context) error {
			_, err := c.Waiting(ctx, aliceActs)
			return err
		}},
		"batch": {false, 1, func(ctx context.Context) error {
			_, err := c.Look(ctx, pim.Question{Requests: []string{"1"}})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for status = 300; status < 600; status++ {
				before := len(g.seenCalls())
				err := op.do(t.Context())
				e := explain(t, err)
				checkSentence(t, e, err)
				switch {
				case op.changes && (status >= 500 || status == 408) && e.Kind != pim.AnswerLost,
					status == 429 && (e.Kind != pim.Throttled || e.RetryAfter != 9*time.Second),
					e.Kind == pim.AnswerLost && !op.changes, e.Kind == "":
					t.Errorf("%d: %s after %s", status, e.Kind, e.RetryAfter)
				}
				if n := len(g.seenCalls()) - before; n != op.calls {
					t.Errorf("%d: %d calls, want %d", status, n, op.calls)
				}
			}
		})
	}
}

// TestEveryStatusInsideABatch holds the same for the answers inside a batch, which come with status 200.
func TestEveryStatusInsideABatch(t *testing.T) {
	for _, status := range []int{301, 400, 401, 402, 403, 404, 405, 406, 409, 410, 412, 413, 418, 423, 451, 599} {
		for _, body := range []string{`{}`, `{"error":null}`, `{"error":{"code":"x"}}`, `"SECRET"`, `null`} {
			g := looking(t, batched{{part: "roleManagementPolicyAssignments", status: status, body: body}})
			if status == 599 {
				continue // tried again; TestReadsAreTriedAgainAsGraphAsks has it
			}
			answer := look(t, g, pim.Question{Policies: []pim.GroupID{group}})
			if len(answer.Failed) == 0 || len(answer.Policies) != 0 {
				t.Fatalf("%d %s: %+v", status, body, answer)
			}
			e := pim.Explain(answer.Failed[0])
			checkSentence(t, e, answer.Failed[0])
			if e.Kind == pim.SignIn || e.Kind == pim.AnswerLost {
				t.Errorf("%d: a read by the application is %s", status, e.Kind)
			}
		}
	}
}

func TestAChallengeIsFoundWhereverGraphPutsIt(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(challenge))
	inMessage := "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%22value%22%3A%22c1%22%7D%7D%7D"
	for name, tc := range map[string]struct {
		status int
		body   string
		header []string
	}{
		"conditional access with 403": {403, standard("insufficient_claims", "no"), []string{"WWW-Authenticate", `Bearer error="insufficient_claims", claims="` + encoded + `"`}},
		"PIM's message":               {400, standard("RoleAssignmentRequestAcrsValidationFailed", inMessage), nil},
		"PIM's message, wrapped":      {400, wrapped("RoleAssignmentRequestAcrsValidationFailed", inMessage), nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := refusing(t, tc.status, tc.body, tc.header...)
			e := submitted(t, g)
			if e.Kind != pim.SignIn || e.Claims != challenge {
				t.Errorf("%+v", e)
			}
			g.only(t)
		})
	}
}

func TestAFailedPolicyThatNamesNoRuleIsStillARefusal(t *testing.T) {
	for _, message := range []string{"", "The policy failed.", "The following policy rules failed: []"} {
		if e := submitted(t, refusing(t, 400, standard("RoleAssignmentRequestPolicyValidationFailed", message))); e.Kind != pim.Invalid {
			t.Errorf("%q: %+v", message, e)
		}
	}
}

// TestLine14FunctionPathsAndTheirPages: the SDK's builder writes on='approver', and its response type is followed to the
// last page; TestWaitingListsPendingApprovalsOfThisPerson has what comes back.
func TestLine14FunctionPathsAreWrittenAsGraphHasThem(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, _ seen) {
		reply(w, http.StatusOK, recorded(t, "filterByCurrentUser-assignmentScheduleRequests.principal.pendingApproval.response.json"))
	})
	waiting, err := client(t, config(g)).Waiting(t.Context(), aliceActs)
	if err != nil || len(waiting) != 1 || waiting[0].Action != pim.SelfActivate {
		t.Errorf("%+v, %v", waiting, err)
	}
	if call := g.only(t); !strings.HasSuffix(call.path, "/assignmentScheduleRequests/filterByCurrentUser(on='approver')") {
		t.Errorf("asked %s", call.path)
	}
}

func TestTwoGroupsOfANameOnTwoPagesAreNotOne(t *testing.T) {
	var base string
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		page := `{"value":[{"id":"55ea2e8c-757f-4f2d-be9e-53c22e8c6a54","displayName":"Role"}],"@odata.nextLink":"` + base + `/v1.0/groups?$skiptoken=1"}`
		if strings.Contains(call.query, "skiptoken") {
			page = `{"value":[{"id":"66ea2e8c-757f-4f2d-be9e-53c22e8c6a54","displayName":"Role"}]}`
		}
		reply(w, http.StatusOK, page)
	})
	base = g.URL
	_, _, _, err := client(t, config(g)).GroupByName(t.Context(), "Role")
	if err == nil || pim.Explain(err).Kind != pim.Conflict {
		t.Errorf("one of two groups was taken: %v", err)
	}
}

func TestAGroupOnTheSecondPageIsFound(t *testing.T) {
	var base string
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		page := `{"value":[],"@odata.nextLink":"` + base + `/v1.0/groups?$skiptoken=1"}`
		if strings.Contains(call.query, "skiptoken") {
			page = `{"value":[{"id":"66ea2e8c-757f-4f2d-be9e-53c22e8c6a54","displayName":"Role"}]}`
		}
		reply(w, http.StatusOK, page)
	})
	base = g.URL
	id, _, _, err := client(t, config(g)).GroupByName(t.Context(), "Role")
	if err != nil || id != "66ea2e8c-757f-4f2d-be9e-53c22e8c6a54" {
		t.Errorf("%s, %v", id, err)
	}
}

func TestStagesAreReadToTheirEnd(t *testing.T) {
	var base string
	stage := recorded(t, "get-approvalStage.response.json")
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		page := `{"value":[{"id":"other","status":"Completed"}],"@odata.nextLink":"` + base + `/v1.0/stages?$skiptoken=1"}`
		if strings.Contains(call.query, "skiptoken") {
			page = `{"value":[` + stage + `]}`
		}
		reply(w, http.StatusOK, page)
	})
	base = g.URL
	got, err := client(t, config(g)).Assigned(t.Context(), aliceActs, "a1")
	if err != nil || got.ID == "other" {
		t.Errorf("%+v, %v", got, err)
	}
}

// renewing is a credential with a cache: only a challenge gets a new token from it.
type renewing struct{ asked []string }

func (r *renewing) GetToken(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	r.asked = append(r.asked, options.Claims)
	if options.Claims == "" || !options.EnableCAE {
		return azcore.AccessToken{Token: "cached"}, nil
	}
	return azcore.AccessToken{Token: "new"}, nil
}

// azidentity's line 3: after something was taken away the cached token lives on, until Graph challenges it.
func TestTheApplicationsCachedTokenIsReplacedWhenGraphChallengesIt(t *testing.T) {
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		if call.token != "new" {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(challenge))+`"`)
			reply(w, http.StatusUnauthorized, standard("InvalidAuthenticationToken", "Continuous access evaluation"))
			return
		}
		batched{{part: "assignmentScheduleRequests/", status: 200, body: `{"id":"1","status":"Denied"}`}}.answer(t, w, call)
	})
	credential := &renewing{}
	cfg := config(g)
	cfg.AppCredential = credential
	answer, err := client(t, cfg).Look(t.Context(), pim.Question{Requests: []string{"1"}})
	if err != nil || answer.Requests["1"].Status != "Denied" {
		t.Fatalf("%+v, %v", answer, err)
	}
	if len(credential.asked) != 2 || credential.asked[1] != challenge || len(g.seenCalls()) != 2 {
		t.Errorf("asked %q, %d calls", credential.asked, len(g.seenCalls()))
	}
}
