package entra_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
)

// standard and wrapped are Graph's two envelopes.
func standard(code, message string) string {
	return envelope(code, message)
}

func wrapped(code, message string) string {
	inner, err := json.Marshal(map[string]any{"errorCode": code, "message": message, "instanceAnnotations": []any{}})
	if err != nil {
		panic(err)
	}
	return envelope("UnknownError", string(inner))
}

func envelope(code, message string) string {
	body, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": code, "message": message, "innerError": map[string]any{"request-id": "inner-id", "date": "2023-02-07T07:05:53"},
	}})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// refusing answers everything with this refusal.
func refusing(t *testing.T, status int, body string, header ...string) *fakeGraph {
	t.Helper()
	return newGraph(t, func(w http.ResponseWriter, _ seen) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		reply(w, status, body)
	})
}

func submitted(t *testing.T, g *fakeGraph) *pim.Error {
	t.Helper()
	_, err := client(t, config(g)).Submit(t.Context(), aliceActs, activation())
	e := explain(t, err)
	checkSentence(t, e, err)
	return e
}

var sentence = regexp.MustCompile(`^[A-Z].*[.]$`)

// checkSentence holds what every error of this package must be: a sentence, with nothing of the wire in it.
func checkSentence(t *testing.T, e *pim.Error, err error) {
	t.Helper()
	if !sentence.MatchString(e.Message) || !strings.Contains(e.Message, " ") {
		t.Errorf("%q is no sentence", e.Message)
	}
	for _, leak := range []string{"https://", "/v1.0", "person " + string(alice), "Bearer", "%7B", "innerError", "SECRET"} {
		if strings.Contains(err.Error(), leak) || strings.Contains(fmt.Sprintf("%+v", err), leak) {
			t.Errorf("the error shows %q: %v", leak, err)
		}
	}
}

func TestEveryCodeOfTheReference(t *testing.T) {
	cases := []struct {
		code, message string
		status        int
		kind          pim.Kind
		says          string
		mend          pim.Mend
	}{
		{"RoleAssignmentExists", "The Role assignment already exists.", 400, pim.Conflict, "already active", pim.MendHeld},
		{"PendingRoleAssignmentRequest", "There is already a pending request.", 400, pim.Conflict, "already open", pim.MendOpen},
		{"RoleAssignmentRequestExists", "The request exists.", 400, pim.Conflict, "already open", pim.MendOpen},
		{"OverlapsPendingRoleAssignmentRequests", "It overlaps.", 400, pim.Conflict, "overlaps", pim.MendOpen},
		{"RoleAssignmentDoesNotExist", "The Role assignment does not exist.", 404, pim.NotFound, "nothing to end", pim.MendLater},
		{"RoleAssignmentDoesNotExist", "The Role assignment does not exist.", 400, pim.NotFound, "nothing to end", pim.MendLater},
		{"RoleNotFound", "The role is not found.", 400, pim.NotFound, "does not know", pim.MendAdministrator},
		{"ResourceIsLocked", "Locked.", 400, pim.Unavailable, "in a minute", pim.MendLater},
		{"SubjectNotFound", "The subject is not found.", 400, pim.Unavailable, "few minutes", pim.MendLater},
		{"ActiveDurationTooShort", "The Active duration is too short.", 400, pim.Invalid, "five minutes", pim.MendForm},
		{"CannotDeleteLastAdminAssignment", "Last one.", 400, pim.Forbidden, "another owner", pim.MendRole},
		{"InvalidRoleAssignmentRequest", "Invalid.", 400, pim.Administered, "clock", pim.MendAdministrator},
		{"InvalidRoleAssignmentRequestSchedule", "Invalid.", 400, pim.Administered, "times", pim.MendAdministrator},
		{"InsufficientPermissions", "No permissions.", 400, pim.Forbidden, "no right", pim.MendRole},
		{"InsufficientPermissions", "No permissions.", 403, pim.Forbidden, "no right", pim.MendRole},
		{"PermissionScopeNotGranted", "Scopes: A, B", 403, pim.Administered, "consent", pim.MendAdministrator},
		{"Authorization_RequestDenied", "Insufficient privileges.", 403, pim.Administered, "administrator", pim.MendAdministrator},
		{"AadPremiumLicenseRequired", "License.", 400, pim.Administered, "license", pim.MendAdministrator},
		{"BadRequest", "Request doesn't allow Self-Approval", 400, pim.Forbidden, "their own request", pim.MendRole},
		{"RoleAssignmentRequestAcrsValidationFailed", "no claims here", 400, pim.SignIn, "stronger sign-in", pim.MendSignIn},
		{"GroupAcrsValidationFailed", "no claims here", 400, pim.SignIn, "stronger sign-in", pim.MendSignIn},
		{"TooManyRequests", "Too many requests", 429, pim.Throttled, "too much", pim.MendLater},
		{"roleassignmentEXISTS", "spelled otherwise", 400, pim.Conflict, "already active", pim.MendHeld},
	}
	for _, tc := range cases {
		for form, body := range map[string]string{"standard": standard(tc.code, tc.message), "wrapped": wrapped(tc.code, tc.message)} {
			t.Run(fmt.Sprintf("%s %d %s", tc.code, tc.status, form), func(t *testing.T) {
				e := submitted(t, refusing(t, tc.status, body))
				if e.Kind != tc.kind || !strings.Contains(e.Message, tc.says) || e.Code != tc.code {
					t.Errorf("%s %s: %s", e.Kind, e.Code, e.Message)
				}
				if mend := pim.RefusalOf(e).Mend(); mend != tc.mend {
					t.Errorf("it leads to %s", mend)
				}
				if e.RequestID != "93b6f17e-c05d-4f45-ad2a-6665c708d8a0" {
					t.Errorf("request id %q", e.RequestID)
				}
			})
		}
	}
}

func TestRules(t *testing.T) {
	cases := map[string]struct {
		kind pim.Kind
		says []string
		mend pim.Mend
	}{
		`"MfaRule"`:                              {pim.SignIn, []string{"multifactor"}, pim.MendSignIn},
		`"JustificationRule"`:                    {pim.Invalid, []string{"reason"}, pim.MendForm},
		`"TicketingRule"`:                        {pim.Invalid, []string{"ticket"}, pim.MendForm},
		`"ExpirationRule"`:                       {pim.Invalid, []string{"longer than the role allows"}, pim.MendLength},
		`"EligibilityRule"`:                      {pim.Forbidden, []string{"not eligible"}, pim.MendRole},
		`"MfaRule", "JustificationRule"`:         {pim.Invalid, []string{"multifactor", "reason"}, pim.MendForm},
		`"ExpirationRule","EligibilityRule"`:     {pim.Forbidden, []string{"longer", "not eligible"}, pim.MendRole},
		`"TicketingRule","SomethingNewRule"`:     {pim.Invalid, []string{"ticket", `"SomethingNewRule"`}, pim.MendAdministrator},
		`"mfarule","justificationrule","Rule"  `: {pim.Invalid, []string{"multifactor", "reason", `"Rule"`}, pim.MendAdministrator},
	}
	for list, want := range cases {
		t.Run(list, func(t *testing.T) {
			message := "The following policy rules failed: [" + list + "]"
			for _, body := range []string{standard("RoleAssignmentRequestPolicyValidationFailed", message), wrapped("RoleAssignmentRequestPolicyValidationFailed", message)} {
				e := submitted(t, refusing(t, 400, body))
				if e.Kind != want.kind || len(e.Rules) != strings.Count(list, ",")+1 || !strings.HasPrefix(list, `"`+e.Rules[0]+`"`) {
					t.Errorf("%s %v", e.Kind, e.Rules)
				}
				if mend := pim.RefusalOf(e).Mend(); mend != want.mend || (e.Claims != "") != (e.Kind == pim.SignIn) {
					t.Errorf("it leads to %s, with the claims %q", mend, e.Claims)
				}
				for _, part := range want.says {
					if !strings.Contains(e.Message, part) {
						t.Errorf("%q does not say %q", e.Message, part)
					}
				}
			}
		})
	}
}

func TestRecordedRefusals(t *testing.T) {
	cases := map[string]struct {
		status int
		want   pim.Error
	}{
		"error.generic.response.json":                  {400, pim.Error{Kind: pim.Invalid, Code: "invalidRange"}},
		"error.policy.ExpirationRule.response.json":    {400, pim.Error{Kind: pim.Invalid, Code: "RoleAssignmentRequestPolicyValidationFailed", Rules: []string{"ExpirationRule"}}},
		"error.policy.JustificationRule.response.json": {400, pim.Error{Kind: pim.Invalid, Code: "RoleAssignmentRequestPolicyValidationFailed", Rules: []string{"JustificationRule"}}},
		"error.RoleAssignmentExists.response.json":     {400, pim.Error{Kind: pim.Conflict, Code: "RoleAssignmentExists"}},
		"error.ActiveDurationTooShort.response.json":   {400, pim.Error{Kind: pim.Invalid, Code: "ActiveDurationTooShort"}},
		"error.acrs.direct.response.json": {400, pim.Error{
			Kind: pim.SignIn, Code: "RoleAssignmentRequestAcrsValidationFailed", Claims: `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`,
		}},
		"error.throttled.response.json": {429, pim.Error{Kind: pim.Throttled, Code: "TooManyRequests", RetryAfter: 17 * time.Second}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var header []string
			if tc.status == 429 {
				header = []string{"Retry-After", "17"}
			}
			e := *submitted(t, refusing(t, tc.status, recorded(t, name), header...))
			tc.want.Message, tc.want.RequestID = e.Message, "93b6f17e-c05d-4f45-ad2a-6665c708d8a0"
			if diff := cmp.Diff(tc.want, e); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEveryStatus holds for bodies of all sorts that each status of each operation becomes a kind and a sentence.
func TestEveryStatus(t *testing.T) {
	bodies := []string{"", "{}", `{"error":null}`, `{"error":{"code":"x"}}`, `{"error":"x"}`, "<html>SECRET</html>", `{"error":{"code":1,"message":{"a":"SECRET"}}`, `[]`, "null"}
	var status int
	var body string
	g := newGraph(t, func(w http.ResponseWriter, _ seen) { reply(w, status, body) })
	c := client(t, config(g))
	for status = 400; status < 600; status++ {
		for _, body = range bodies {
			_, err := c.Submit(t.Context(), aliceActs, activation())
			e := explain(t, err)
			checkSentence(t, e, err)
			if want := kindOfStatus(status, true); e.Kind != want {
				t.Errorf("submit %d %s: %s, want %s", status, body, e.Kind, want)
			}
			_, _, _, err = c.GroupByName(t.Context(), "Role")
			e = explain(t, err)
			checkSentence(t, e, err)
			if want := kindOfStatus(status, false); e.Kind != want {
				t.Errorf("read %d %s: %s, want %s", status, body, e.Kind, want)
			}
		}
	}
}

// kindOfStatus is the table of the statuses written the other way round: as rules.
func kindOfStatus(status int, changes bool) pim.Kind {
	switch {
	case status >= 500 && changes, status == 408 && changes:
		return pim.AnswerLost
	case status >= 500, status == 408, status == 423, status == 424, status == 425:
		return pim.Unavailable
	case status == 400 && changes:
		return pim.Invalid
	case status == 401 && changes:
		return pim.SignIn
	case status == 403 && changes:
		return pim.Forbidden
	case status == 401, status == 402, status == 403, status == 451:
		return pim.Administered
	case status == 404, status == 410:
		return pim.NotFound
	case status == 409, status == 412:
		return pim.Conflict
	case status == 429:
		return pim.Throttled
	}
	return pim.Administered
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"12": 12 * time.Second, "0.5": 500 * time.Millisecond, "-3": 0, "soon": 0, "999999999": time.Hour, "NaN": 0,
		graphClock.Add(40 * time.Second).Format(http.TimeFormat): 40 * time.Second,
		graphClock.Add(-time.Minute).Format(http.TimeFormat):     0,
	} {
		if e := submitted(t, refusing(t, 429, "", "Retry-After", value)); e.RetryAfter != want || e.Kind != pim.Throttled {
			t.Errorf("%s: %v, want %v", value, e.RetryAfter, want)
		}
	}
}

func TestCancelRefusals(t *testing.T) {
	for _, body := range []string{standard("InvalidRoleAssignmentRequest", "Only pending requests."), standard("BadRequest", "no")} {
		err := client(t, config(refusing(t, 400, body))).Cancel(t.Context(), aliceActs, "34e963f6")
		if e := explain(t, err); e.Kind != pim.Conflict || !strings.Contains(e.Message, "canceled") {
			t.Errorf("%s: %s", e.Kind, e.Message)
		}
	}
}
