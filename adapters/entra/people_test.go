package entra_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/adapters/entra"
	"elevate/internal/pim"
)

// rulesOf makes the answer for a group's policy from the recorded rules and the recorded changes to them.
func rulesOf(t *testing.T, changes ...string) string {
	t.Helper()
	var answer map[string]any
	if err := json.Unmarshal([]byte(recorded(t, "list-roleManagementPolicyAssignments.directoryRole.expanded.response.json")), &answer); err != nil {
		t.Fatal(err)
	}
	assignment := answer["value"].([]any)[0].(map[string]any)
	assignment["roleDefinitionId"] = "member"
	policy := assignment["policy"].(map[string]any)
	rules := policy["rules"].([]any)
	for _, change := range changes {
		var rule map[string]any
		if err := json.Unmarshal([]byte(recorded(t, "update-roleManagementPolicyRule."+change+".request.json")), &rule); err != nil {
			t.Fatal(err)
		}
		for i := range rules {
			if rules[i].(map[string]any)["id"] == rule["id"] {
				rules[i] = rule
			}
		}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestPolicies(t *testing.T) {
	cases := map[string]struct {
		body string
		want pim.Policy
	}{
		"as it is by default": {rulesOf(t), pim.Policy{MaxDuration: 8 * time.Hour, Justification: true, MFA: true}},
		"as it was changed": {
			rulesOf(t, "Expiration_EndUser_Assignment", "Enablement_EndUser_Assignment", "Approval_EndUser_Assignment", "AuthenticationContext_EndUser_Assignment"),
			pim.Policy{
				MaxDuration: 105 * time.Minute, Justification: true, MFA: true, Ticketing: true, Context: "c1", Approval: true,
				ApproverPeople: []pim.PrincipalID{"10a08e2e-3ea2-4ce0-80cb-d5fdd4b05ea6"}, ApproverGroups: []pim.GroupID{"14f2746d-7d6f-4ac6-acd8-8cac318b041b"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := looking(t, batched{{part: "roleManagementPolicyAssignments?", status: 200, body: tc.body}})
			tc.want.Group, tc.want.ReadAt = group, graphClock
			got := whole(t, look(t, g, pim.Question{Policies: []pim.GroupID{group}})).Policies[group]
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if asked := g.only(t).body; !strings.Contains(asked, "scopeId%20eq%20%27"+string(group)+"%27") || !strings.Contains(asked, "$expand=policy") {
				t.Error(asked)
			}
		})
	}
}

func TestPoliciesInPartsAreNotRead(t *testing.T) {
	for name, body := range map[string]string{
		"rules not expanded": recorded(t, "list-roleManagementPolicyAssignments.group.response.json"),
		"none":               `{"value":[]}`,
		"no approval rule":   strings.ReplaceAll(rulesOf(t), "Approval_EndUser_Assignment", "Approval_Other"),
		"no length rule":     strings.ReplaceAll(rulesOf(t), "Expiration_EndUser_Assignment", "Expiration_Other"),
		"an odd length":      strings.ReplaceAll(rulesOf(t), "PT8H", "eight hours"),
	} {
		t.Run(name, func(t *testing.T) {
			g := looking(t, batched{{part: "roleManagementPolicyAssignments?", status: 200, body: body}})
			answer := look(t, g, pim.Question{Policies: []pim.GroupID{group}})
			if _, there := answer.Policies[group]; there || len(answer.Failed) != 1 {
				t.Errorf("%+v, failed %v", answer.Policies, answer.Failed)
			}
		})
	}
}

const people = `{"value":[
 {"@odata.type":"#microsoft.graph.user","id":"3CCE9D87-3986-4f19-8335-7ed075408ca2","displayName":"Alice","accountEnabled":true,"userType":"Member","employeeId":"E7","onPremisesImmutableId":"imm","onPremisesExtensionAttributes":{"extensionAttribute1":"one","extensionAttribute15":"fifteen"},"extension_0123456789abcdef0123456789abcdef_person":"ext"},
 {"id":"b","displayName":"Gus","accountEnabled":true,"userType":"guest"},
 {"id":"c","accountEnabled":false},
 {"id":"d"}]}`

func TestOwnersAreThePeopleAmongThem(t *testing.T) {
	g := looking(t, batched{{part: "/groups/" + string(group) + "/owners/microsoft.graph.user?", status: 200, body: people}})
	answer, err := client(t, config(g)).Look(t.Context(), pim.Question{Owners: []pim.GroupID{group}})
	if err != nil {
		t.Fatal(err)
	}
	if owners := whole(t, answer).Owners[group]; len(owners) != 4 || owners[0].ID != alice || owners[0].Name != "Alice" {
		t.Errorf("owners %+v", owners)
	}
}

func TestMembersAndWhatIsSaidOfThem(t *testing.T) {
	for attribute, want := range map[string]string{
		"": "", "none": "", "employeeId": "E7", "onPremisesImmutableId": "imm", "extensionAttribute1": "one",
		"onPremisesExtensionAttributes/extensionAttribute15": "fifteen", "extensionAttribute2": "",
		"extension_0123456789abcdef0123456789abcdef_person": "ext",
	} {
		g := looking(t, batched{{part: "/groups/" + string(group) + "/transitiveMembers/microsoft.graph.user?", status: 200, body: people}})
		cfg := config(g)
		cfg.SamePersonAttribute = attribute
		answer, err := client(t, cfg).Look(t.Context(), pim.Question{Members: []pim.GroupID{group}})
		if err != nil {
			t.Fatal(err)
		}
		expected := []pim.Profile{
			{ID: alice, Name: "Alice", Enabled: true, SamePerson: want, Found: true},
			{ID: "b", Name: "Gus", Enabled: true, Guest: true, Found: true},
			{ID: "c", Found: true},
			{ID: "d", Found: true},
		}
		if diff := cmp.Diff(expected, whole(t, answer).Members[group]); diff != "" {
			t.Errorf("%s: %s", attribute, diff)
		}
	}
	cfg := config(looking(t, nil))
	for _, attribute := range []string{"displayName", "mail", "extensionAttribute16", "employeeId,mail"} {
		cfg.SamePersonAttribute = attribute
		if _, err := entra.New(cfg); err == nil {
			t.Errorf("%s was taken", attribute)
		}
	}
}

func TestProfiles(t *testing.T) {
	g := looking(t, batched{
		{part: "/users/" + string(alice) + "?$select=id,displayName,accountEnabled,userType", status: 200, body: `{"id":"` + string(alice) + `","displayName":"Alice","accountEnabled":true,"userType":"Member"}`},
		{part: "/users/odd", status: 404, body: `{"error":{"code":"BadGateway"}}`},
	})
	answer := look(t, g, pim.Question{Profiles: []pim.PrincipalID{alice, "odd"}})
	if p := answer.Profiles[alice]; p.MayAct() != nil || p.Name != "Alice" {
		t.Errorf("%+v", p)
	}
	if _, there := answer.Profiles["odd"]; there || len(answer.Failed) != 1 {
		t.Errorf("a 404 that is not the directory's: %v, failed %v", answer.Profiles, answer.Failed)
	}
}

func TestEligibilitiesOfAPersonAndOfTheirGroups(t *testing.T) {
	const eligibleGroup = "9a000000-0000-0000-0000-000000000001"
	through := `{"groupId":"` + string(group) + `","principalId":"` + eligibleGroup + `","accessId":"member"`
	byGroup := pim.Eligibility{Group: group, Principal: eligibleGroup, Access: "member"}
	own := pim.Eligibility{Group: group, Principal: alice, Access: "member", End: time.Date(2024, 4, 10, 0, 0, 0, 0, time.UTC)}
	ownJSON := `{"groupId":"` + string(group) + `","principalId":"` + string(alice) + `","accessId":"Member","endDateTime":"2024-04-10T00:00:00Z"}`
	cases := map[string]struct {
		byPerson, byGroup string
		member            string
		want              []pim.Eligibility
	}{
		"her own, told twice":                     {ownJSON, ownJSON, `[]`, []pim.Eligibility{own}},
		"by a group the filter by person leaves":  {``, through + `,"principal":{"@odata.type":"#microsoft.graph.group","id":"x"}}`, `["` + eligibleGroup + `"]`, []pim.Eligibility{byGroup}},
		"by a group the filter by person names":   {through + `}`, through + `}`, `["` + eligibleGroup + `"]`, []pim.Eligibility{byGroup}},
		"by a group whose kind is not said":       {``, through + `}`, `["` + eligibleGroup + `"]`, []pim.Eligibility{byGroup}},
		"by a group she is not in":                {``, through + `}`, `[]`, nil},
		"somebody else's, who is known to be one": {``, through + `,"principal":{"@odata.type":"#microsoft.graph.user","id":"x"}}`, `["` + eligibleGroup + `"]`, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := looking(t, batched{
				{part: "eligibilityScheduleInstances?$filter=principalId", status: 200, body: `{"value":[` + tc.byPerson + `]}`},
				{part: "eligibilityScheduleInstances?$expand=principal&$filter=groupId", status: 200, body: `{"value":[` + tc.byGroup + `]}`},
				{part: "eligibilityScheduleInstances?$filter=groupId", status: 200, body: `{"value":[` + tc.byGroup + `]}`},
				{part: "checkMemberGroups", status: 200, body: `{"value":` + tc.member + `}`},
				{part: "assignmentScheduleInstances", status: 200, body: `{"value":[]}`},
			})
			answer := whole(t, look(t, g, pim.Question{Eligible: []pim.PrincipalID{alice}, Active: []pim.GroupID{group}}))
			got, there := answer.Eligible[alice]
			if diff := cmp.Diff(tc.want, got); diff != "" || !there {
				t.Errorf("%v %s", there, diff)
			}
		})
	}
}

func TestEligibilitiesReadInPartAreNotAnAnswer(t *testing.T) {
	g := looking(t, batched{
		{part: "$filter=principalId", status: 200, body: `{"value":[]}`},
		{part: "assignmentScheduleInstances", status: 200, body: `{"value":[]}`},
		{part: "groupId", status: 403, body: standard("Authorization_RequestDenied", "no")},
	})
	answer := look(t, g, pim.Question{Eligible: []pim.PrincipalID{alice}, Active: []pim.GroupID{group}})
	if _, there := answer.Eligible[alice]; there || len(answer.Failed) == 0 {
		t.Errorf("%v, failed %v", answer.Eligible, answer.Failed)
	}
}

func TestGroupByName(t *testing.T) {
	one := `{"id":"55EA2E8C-757f-4f2d-be9e-53c22e8c6a54","displayName":"Role_MDE Administrator","isAssignableToRole":true}`
	g := newGraph(t, func(w http.ResponseWriter, call seen) {
		switch {
		case call.path == "/v1.0/groups/55ea2e8c-757f-4f2d-be9e-53c22e8c6a54":
			reply(w, 200, one)
		case call.path != "/v1.0/groups":
			reply(w, 404, standard("Request_ResourceNotFound", "no"))
		case strings.Contains(call.query, "eq 'O''Brien''s'"), strings.Contains(call.query, "'twice'"):
			reply(w, 200, `{"value":[`+one+`,`+one+`]}`)
		case strings.Contains(call.query, "$filter=displayName eq 'Role_MDE Administrator'"):
			reply(w, 200, `{"value":[`+one+`]}`)
		default:
			reply(w, 200, `{"value":[]}`)
		}
	})
	c := client(t, config(g))
	for _, name := range []string{"Role_MDE Administrator", "55ea2e8c-757f-4f2d-be9e-53c22e8c6a54"} {
		id, display, assignable, err := c.GroupByName(t.Context(), name)
		if err != nil || id != "55ea2e8c-757f-4f2d-be9e-53c22e8c6a54" || display != "Role_MDE Administrator" || !assignable {
			t.Errorf("%s: %s %s %v %v", name, id, display, assignable, err)
		}
	}
	for name, kind := range map[string]pim.Kind{
		"twice": pim.Conflict, "O'Brien's": pim.Conflict, "nobody": pim.NotFound, "00000000-757f-4f2d-be9e-53c22e8c6a54": pim.NotFound,
	} {
		_, _, _, err := c.GroupByName(t.Context(), name)
		if e := explain(t, err); e.Kind != kind || !strings.Contains(e.Message, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// busy is a Graph in memory, for tests whose clock does not run by itself.
type busy struct {
	t       *testing.T
	answers []batched // of one call after the other; the last goes on
	calls   int
	at      []time.Time
}

func (b *busy) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := newRecorder(b.t, request, b.answers[min(b.calls, len(b.answers)-1)])
	b.calls++
	b.at = append(b.at, time.Now())
	return recorder, nil
}

func TestReadsAreTriedAgainAsGraphAsks(t *testing.T) {
	good := item{part: "assignmentScheduleRequests/", status: 200, body: `{"id":"1","status":"Denied"}`}
	throttled := item{part: "assignmentScheduleRequests/", status: 429, header: map[string]any{"Retry-After": "3", "Odd": 7}, body: recorded(t, "error.throttled.response.json")}
	down := item{part: "assignmentScheduleRequests/", status: 503, body: `{}`}
	long := throttled
	long.header = map[string]any{"Retry-After": "600"}
	cases := map[string]struct {
		answers []batched
		calls   int
		waited  time.Duration
		failed  pim.Kind
	}{
		"throttled once":       {[]batched{{throttled}, {good}}, 2, 3 * time.Second, ""},
		"down once":            {[]batched{{down}, {good}}, 2, time.Second, ""},
		"down for good":        {[]batched{{down}}, 3, 2 * time.Second, pim.Unavailable},
		"throttled for long":   {[]batched{{long}}, 1, 0, pim.Throttled},
		"refused is no matter": {[]batched{{{part: "assignment", status: 403, body: "{}"}}}, 1, 0, pim.Administered},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				graph := &busy{t: t, answers: tc.answers}
				cfg := config(&fakeGraph{})
				cfg.Graph, cfg.Transport = "https://graph.microsoft.com", graph
				answer, err := client(t, cfg).Look(t.Context(), pim.Question{Requests: []string{"1"}})
				if err != nil {
					t.Fatal(err)
				}
				if waited := graph.at[len(graph.at)-1].Sub(graph.at[0]); graph.calls != tc.calls || waited != tc.waited {
					t.Errorf("%d calls over %v", graph.calls, waited)
				}
				switch {
				case tc.failed == "" && answer.Requests["1"].Status != "Denied":
					t.Errorf("%+v", answer)
				case tc.failed != "" && (len(answer.Failed) != 1 || pim.Explain(answer.Failed[0]).Kind != tc.failed):
					t.Errorf("failed %v", answer.Failed)
				}
			})
		})
	}
}
