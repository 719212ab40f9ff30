package entra_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simentra"
)

// tenantOf is the sandbox's Entra with a client of ours that is connected to it over TLS.
type tenantOf struct {
	*entra.Client
	model    *cast.Cast
	clock    *simclock.Clock
	server   *simentra.Server
	login    *httptest.Server
	tokens   map[pim.PrincipalID]string
	people   map[string]pim.Actor
	client   *http.Client
	registry cast.App
}

const returnTo = "https://elevate.example.com/auth/entra/callback"

func newTenant(t *testing.T) *tenantOf {
	t.Helper()
	tt := &tenantOf{
		model: cast.Model(), clock: simclock.New(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), time.Now),
		tokens: map[pim.PrincipalID]string{}, people: map[string]pim.Actor{},
	}
	graph := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tt.server.GraphHandler().ServeHTTP(w, r) }))
	tt.login = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tt.server.LoginHandler().ServeHTTP(w, r) }))
	t.Cleanup(graph.Close)
	t.Cleanup(tt.login.Close)
	var err error
	tt.server, err = simentra.New(simentra.Config{
		Clock: tt.clock, MachineNow: time.Now, Cast: tt.model, LoginURL: tt.login.URL, GraphURL: graph.URL, Behavior: simentra.DefaultBehavior(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range tt.model.Apps {
		if app.Name == cast.AppElevate {
			tt.registry = app
		}
	}
	tt.server.SetRedirects(tt.registry.ClientID, returnTo)
	tt.client = tt.login.Client()
	tt.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	credential, err := entra.NewAppCredential(entra.CredentialConfig{
		TenantID: tt.model.TenantID, ClientID: tt.registry.ClientID, Authority: tt.login.URL, Secret: secret.New(tt.registry.Secret),
		Transport: tt.client.Transport, Sandbox: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	tt.Client = client(t, entra.Config{
		Graph: graph.URL, Transport: graph.Client().Transport, AppCredential: credential, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		PersonToken: func(_ context.Context, as pim.Actor, claims string) (secret.Text, time.Time, error) {
			if claims != "" {
				return secret.Text{}, time.Time{}, &pim.Error{Kind: pim.SignIn, Message: "Sign in again, please.", Claims: claims}
			}
			return secret.New(tt.tokens[as.Person]), time.Time{}, nil
		},
	})
	for _, p := range tt.model.People {
		tt.people[p.Key] = pim.Actor{Person: pim.NewPrincipalID(p.ObjectID)}
	}
	for _, key := range []string{"alice", "bob", "carol", "dan"} {
		tt.signIn(t, key, "")
	}
	return tt
}

// signIn gets a person's token by the code flow, with a claims request or none.
func (tt *tenantOf) signIn(t *testing.T, key, claims string) {
	t.Helper()
	base := tt.login.URL + "/" + tt.model.TenantID + "/oauth2/v2.0/"
	query := url.Values{
		"client_id": {tt.registry.ClientID}, "response_type": {"code"}, "redirect_uri": {returnTo}, "claims": {claims},
		"scope": {"openid PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.Read.AzureADGroup"},
	}
	answer, err := tt.client.PostForm(base+"authorize?"+query.Encode(), url.Values{"account": {key + "@" + tt.model.Domain}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%s: no code in %s, %v", key, back, err)
	}
	answer, err = tt.client.PostForm(base+"token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {tt.registry.ClientID}, "client_secret": {tt.registry.Secret},
		"code": {back.Query().Get("code")}, "redirect_uri": {returnTo}, "claims": {claims},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("%s: %s, %v", key, answer.Status, err)
	}
	tt.tokens[tt.people[key].Person] = token.AccessToken
}

func (tt *tenantOf) group(t *testing.T, name string) pim.GroupID {
	t.Helper()
	id, _, _, err := tt.GroupByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (tt *tenantOf) ask(t *testing.T, q pim.Question) pim.Answer {
	t.Helper()
	answer, err := tt.Look(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return whole(t, answer)
}

func (tt *tenantOf) activate(t *testing.T, key string, role pim.GroupID) (pim.Copy, error) {
	t.Helper()
	return tt.Submit(t.Context(), tt.people[key], pim.Activation{
		Action: pim.SelfActivate, Group: role, Principal: tt.people[key].Person, Justification: "isolating WS-042", Duration: 30 * time.Minute,
	})
}

func kind(t *testing.T, err error, want pim.Kind, says string) {
	t.Helper()
	if e := explain(t, err); e.Kind != want || !strings.Contains(e.Message, says) {
		t.Errorf("%s %s %s: %s", e.Kind, e.Code, e.Claims, e.Message)
	}
}

func TestTheScenarioInTheSandbox(t *testing.T) {
	tt := newTenant(t)
	role, holders := tt.group(t, cast.RoleAdministrator), tt.group(t, cast.PIMAdministrator)
	alice, bob := tt.people["alice"], tt.people["bob"]
	access := pim.Membership{Group: role, Principal: alice.Person}

	// What is known before anybody asks.
	before := tt.ask(t, pim.Question{
		Policies: []pim.GroupID{role}, Eligible: []pim.PrincipalID{alice.Person, tt.people["carol"].Person},
		Members: []pim.GroupID{holders}, Profiles: []pim.PrincipalID{alice.Person, tt.people["gus"].Person}, Access: []pim.Membership{access},
	})
	if p := before.Policies[role]; !p.Approval || p.MaxDuration != 8*time.Hour || len(p.ApproverGroups) != 1 || !p.Justification {
		t.Errorf("policy %+v", p)
	}
	if e := before.Eligible[alice.Person]; len(e) != 1 || e[0].Group != role || e[0].Principal != pim.PrincipalID(holders) {
		t.Errorf("alice may activate %+v", e)
	}
	if e, there := before.Eligible[tt.people["carol"].Person]; !there || len(e) != 0 {
		t.Errorf("carol may activate %+v", e)
	}
	if len(before.Members[holders]) != 7 || !before.Profiles[tt.people["gus"].Person].Guest || before.Access[access].Member {
		t.Errorf("%+v", before)
	}

	// Alice asks; neither she nor Dan may decide, Bob may, and Carol comes too late.
	asked, err := tt.activate(t, "alice", role)
	if err != nil || asked.Status != "PendingApproval" || asked.Duration != 30*time.Minute {
		t.Fatalf("%+v, %v", asked, err)
	}
	_, err = tt.activate(t, "alice", role)
	kind(t, err, pim.Conflict, "already open")
	ruling := pim.Ruling{ApprovalID: asked.ApprovalID, Approve: true, Justification: "OK"}
	for _, key := range []string{"alice", "dan"} {
		_, err = tt.Decide(t.Context(), tt.people[key], ruling)
		kind(t, err, pim.Forbidden, "")
	}
	waiting, err := tt.Waiting(t.Context(), bob)
	if err != nil || len(waiting) != 1 || waiting[0].ID != asked.ID {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if _, err := tt.Decide(t.Context(), bob, ruling); err != nil {
		t.Fatal(err)
	}
	_, err = tt.Decide(t.Context(), tt.people["carol"], ruling)
	kind(t, err, pim.Conflict, "decided")

	// The membership comes, is read back, and cannot be had twice or given back at once.
	tt.clock.Advance(time.Minute)
	active := tt.ask(t, pim.Question{
		Requests: []string{asked.ID, "0be0b1e5-0000-4000-8000-00000000dead"}, Access: []pim.Membership{access}, Active: []pim.GroupID{role},
		Recent: []pim.Recent{{Group: role, Principal: alice.Person}}, Pending: []pim.GroupID{role},
	})
	if a := active.Access[access]; !a.Member || len(a.Instances) != 1 || !a.Instances[0].Activated || a.Instances[0].End.IsZero() {
		t.Errorf("access %+v", a)
	}
	if !strings.EqualFold(active.Requests[asked.ID].Status, "Provisioned") || len(active.Gone) != 1 || len(active.Pending[role]) != 0 {
		t.Errorf("%+v", active)
	}
	_, err = tt.activate(t, "alice", role)
	kind(t, err, pim.Conflict, "already active")
	release := pim.Activation{Action: pim.SelfDeactivate, Group: role, Principal: alice.Person, Justification: "done"}
	_, err = tt.Submit(t.Context(), alice, release)
	kind(t, err, pim.Invalid, "five minutes")

	// Given back, it is gone, and there is nothing more to give back.
	tt.clock.Advance(6 * time.Minute)
	if done, err := tt.Submit(t.Context(), alice, release); err != nil || done.Status != "Revoked" {
		t.Fatalf("%+v, %v", done, err)
	}
	tt.clock.Advance(2 * time.Minute)
	if a := tt.ask(t, pim.Question{Access: []pim.Membership{access}}).Access[access]; a.Member || len(a.Instances) != 0 {
		t.Errorf("access %+v", a)
	}
	_, err = tt.Submit(t.Context(), alice, release)
	kind(t, err, pim.NotFound, "not active")
}

func TestRefusalsOfTheSandbox(t *testing.T) {
	tt := newTenant(t)
	role := tt.group(t, cast.RoleAdministrator)

	// Nobody decides their own request, an approver neither.
	own, err := tt.activate(t, "bob", role)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tt.Decide(t.Context(), tt.people["bob"], pim.Ruling{ApprovalID: own.ApprovalID, Approve: true, Justification: "me"})
	kind(t, err, pim.Forbidden, "")
	if err := tt.Cancel(t.Context(), tt.people["bob"], own.ID); err != nil {
		t.Error(err)
	}
	kind(t, tt.Cancel(t.Context(), tt.people["bob"], own.ID), pim.Conflict, "canceled")

	// Several rules at once: not eligible, and nothing said.
	_, err = tt.Submit(t.Context(), tt.people["carol"], pim.Activation{
		Action: pim.SelfActivate, Group: role, Principal: tt.people["carol"].Person, Duration: 9 * time.Hour,
	})
	kind(t, err, pim.Forbidden, "not eligible")
	if e := explain(t, err); len(e.Rules) != 3 {
		t.Errorf("rules %v", e.Rules)
	}

	// A stronger sign-in is asked for with the claims to do it with, and taken.
	policy, err := tt.server.Policy(cast.RoleAnalyst)
	if err != nil {
		t.Fatal(err)
	}
	policy.AuthContext = "c1"
	if err := tt.server.SetPolicy(policy); err != nil {
		t.Fatal(err)
	}
	analyst := tt.group(t, cast.RoleAnalyst)
	_, err = tt.activate(t, "alice", analyst)
	kind(t, err, pim.SignIn, "stronger sign-in")
	if claims := explain(t, err).Claims; !json.Valid([]byte(claims)) || !strings.Contains(claims, `"c1"`) {
		t.Errorf("claims %q", claims)
	}
	tt.signIn(t, "alice", `{"access_token":{"xms_cc":{"values":["cp1"]},"acrs":{"essential":true,"value":"c1"}}}`)
	if _, err = tt.activate(t, "alice", analyst); err != nil {
		t.Error(err)
	}

	// The application's own token changes nothing.
	if err := tt.server.SetEnabled("dan", false); err != nil {
		t.Fatal(err)
	}
	if p := tt.ask(t, pim.Question{Profiles: []pim.PrincipalID{tt.people["dan"].Person}}).Profiles[tt.people["dan"].Person]; p.Enabled {
		t.Errorf("%+v", p)
	}
}
