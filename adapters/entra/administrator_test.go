package entra_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simentra"
	"elevate/internal/tenant"
)

// emptyTenant is the sandbox's Entra before anything is set up, and administrators who sign in by device code.
type emptyTenant struct {
	t      *testing.T
	server *simentra.Server
	clock  *simclock.Clock
	login  string
	graph  string
	trips  *trips
}

func newEmptyTenant(t *testing.T, behavior simentra.Behavior) *emptyTenant {
	t.Helper()
	e := &emptyTenant{t: t, clock: simclock.New(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), time.Now)}
	graph := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.server.GraphHandler().ServeHTTP(w, r) }))
	login := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.server.LoginHandler().ServeHTTP(w, r) }))
	t.Cleanup(graph.Close)
	t.Cleanup(login.Close)
	var err error
	e.server, err = simentra.New(simentra.Config{
		Clock: e.clock, MachineNow: time.Now, Cast: cast.Empty(), LoginURL: login.URL, GraphURL: graph.URL, Behavior: behavior,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.login, e.graph, e.trips = login.URL, graph.URL, &trips{next: login.Client().Transport}
	return e
}

// signIn signs somebody in, who consents to what is asked for where a page wants that.
func (e *emptyTenant) signIn(who string) (*entra.Administrator, error) {
	code := regexp.MustCompile(`the code (\S+)\.`)
	a, err := entra.NewAdministrator(entra.AdministratorConfig{
		TenantID: cast.Empty().TenantID, ClientID: cast.GraphCLIClientID, Authority: e.login, Graph: e.graph, Way: entra.ByDevice, Changes: true,
		Groups: true, Defender: true, SamePersonAttribute: "employeeId", Transport: e.trips, Sandbox: true, Now: time.Now,
		Tell: func(message string) {
			found := code.FindStringSubmatch(message)
			if found == nil {
				return // it says what it waits for
			}
			form := url.Values{"user_code": {found[1]}, "account": {who}, "consent": {"organization"}}
			response, err := (&http.Client{Transport: e.trips.next}).PostForm(e.login+"/"+cast.Empty().TenantID+"/oauth2/deviceauth", form)
			if err != nil {
				e.t.Error(err)
				return
			}
			_ = response.Body.Close()
		},
	})
	if err != nil {
		return nil, err
	}
	_, err = a.SignIn(e.t.Context())
	return a, err
}

func (e *emptyTenant) admin() *entra.Administrator {
	e.t.Helper()
	a, err := e.signIn("ada")
	if err != nil {
		e.t.Fatal(err)
	}
	return a
}

// compare reads and plans.
func (e *emptyTenant) compare(a *entra.Administrator, w tenant.Wanted) (tenant.Plan, tenant.Actual) {
	e.t.Helper()
	actual, err := a.Read(e.t.Context(), w)
	if err != nil {
		e.t.Fatal(err)
	}
	return tenant.Compare(w, actual), actual
}

// tempo waits by moving the tenant's clock.
func (e *emptyTenant) tempo() tenant.Tempo {
	return tenant.Tempo{Now: e.clock.Now, Wait: func(ctx context.Context, d time.Duration) error {
		e.clock.Advance(d)
		return ctx.Err()
	}}
}

// threeTiers are the model scenario's.
func threeTiers() tenant.Wanted {
	role := func(name string, approval bool) tenant.Role {
		r := tenant.Role{
			Name: "mde-" + name, Title: "MDE " + name, Gives: "what " + name + " needs", Group: "Role_MDE " + name, Eligible: []string{"PIM MDE " + name},
			Rules: tenant.Rules{Longest: 8 * time.Hour, Justification: true, Approval: approval},
		}
		if approval {
			r.Approvers = []string{"PIM MDE Approvers", "lena@contoso.example"}
		}
		return r
	}
	none := false
	w := tenant.Wanted{
		Roles:  []tenant.Role{role("admin", true), role("analyst", false), role("responder", true)},
		Groups: []tenant.Group{{Name: "PIM MDE Approvers", Members: []string{"bob@contoso.example", "carol@contoso.example"}}, {Name: "PIM MDE admin", Members: []string{"alice@contoso.example"}}},
	}
	w.Roles[0].Rules.Ticket, w.Roles[0].Rules.Mail, w.Roles[0].Protected = true, &none, true
	w.Roles[1].Rules.MFA, w.Roles[1].Rules.Longest = true, 24*time.Hour
	w.Roles[2].Rules.Context = "c1"
	return w
}

func TestAnEmptyTenantBecomesAsDeclaredAndStaysSo(t *testing.T) {
	t.Parallel()
	for name, behavior := range map[string]simentra.Behavior{
		"at once": {}, "with lag, as a tenant has it": simentra.DefaultBehavior(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w := newEmptyTenant(t, behavior), threeTiers()
			a := e.admin()
			plan, actual := e.compare(a, w)
			if len(plan.Refused) > 0 || len(plan.Onboards()) != 3 || plan.Making != 5 {
				t.Fatalf("%+v, making %d", plan.Refused, plan.Making)
			}
			for i, state := range plan.Apply(t.Context(), a, actual, e.tempo(), func(tenant.Progress) {}) {
				if state != tenant.Done {
					t.Errorf("%s: %s", plan.Steps[i].Says, state)
				}
			}
			e.clock.Advance(time.Minute)
			plan, _ = e.compare(e.admin(), w)
			if !plan.Nothing() || len(plan.Undeclared) > 0 {
				t.Errorf("then: %+v %+v %+v", plan.Refused, plan.Steps, plan.Undeclared)
			}
		})
	}
}

// elsewhere has PIM answer about another group than it was asked for.
type elsewhere struct {
	next     http.RoundTripper
	from, to string
}

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := e.next.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, "roleManagementPolicyAssignments") && !strings.HasSuffix(r.URL.Path, "$batch") {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	body = bytes.ReplaceAll(body, []byte(`"scopeId":"`+e.from), []byte(`"scopeId":"`+e.to))
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return response, err
}

func TestAPolicyOfAnotherGroupIsNeitherReadNorWritten(t *testing.T) {
	t.Parallel()
	e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
	a := e.admin()
	plan, actual := e.compare(a, w)
	plan.Apply(t.Context(), a, actual, e.tempo(), func(tenant.Progress) {})
	_, actual = e.compare(a, w)
	admin, analyst := actual.Groups["role_mde admin"][0].ID, actual.Groups["role_mde analyst"][0].ID
	e.trips.next = elsewhere{e.trips.next, string(admin), string(analyst)}
	step := tenant.Step{Kind: tenant.SetRule, Rule: tenant.LongestRule, Rules: tenant.Rules{Longest: time.Hour}}
	if err := a.SetRule(t.Context(), admin, step, tenant.Approvers{}); err == nil || !strings.Contains(err.Error(), "something else than it was asked") {
		t.Errorf("%v", err)
	}
	if _, err := a.Read(t.Context(), w); err == nil {
		t.Error("it was read")
	}
}

func TestOnlyPIMIsTakenForPIM(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"": true, "01fc33a7-78ba-4d2f-a4b7-768e336e890e": true, "11111111-1111-4111-8111-111111111111": false} {
		name, row, by, app := "MS-PIM", models.NewDirectoryAudit(), models.NewAuditActivityInitiator(), models.NewAppIdentity()
		app.SetDisplayName(&name)
		if id != "" {
			app.SetAppId(&id)
		}
		by.SetApp(app)
		row.SetInitiatedBy(by)
		if entra.ByPIM(row) != want {
			t.Errorf("%q: not %t", id, want)
		}
	}
}

// dying carries out so many changes and then nothing, as a program that was killed; the last one's answer is lost.
type dying struct {
	*entra.Administrator

	mu   sync.Mutex
	left int
}

var errKilled = pim.Errorf(pim.Internal, "killed")

func (d *dying) dies() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	return d.left < 0
}

func (d *dying) MakeGroup(ctx context.Context, s tenant.Step, nickname string, lost bool) (pim.GroupID, error) {
	if d.dies() {
		return "", errKilled
	}
	return d.Administrator.MakeGroup(ctx, s, nickname, lost)
}

func (d *dying) AddMember(ctx context.Context, group pim.GroupID, person pim.PrincipalID) error {
	if d.dies() {
		return errKilled
	}
	return d.Administrator.AddMember(ctx, group, person)
}

func (d *dying) SetRule(ctx context.Context, group pim.GroupID, s tenant.Step, approvers tenant.Approvers) error {
	if d.dies() {
		return errKilled
	}
	return d.Administrator.SetRule(ctx, group, s, approvers)
}

func (d *dying) MakeEligible(ctx context.Context, group pim.GroupID, s tenant.Step, principal pim.PrincipalID) error {
	if d.dies() {
		return errKilled
	}
	return d.Administrator.MakeEligible(ctx, group, s, principal)
}

func TestApplyGoesOnAfterAKillAtAnyStep(t *testing.T) {
	t.Parallel()
	w := threeTiers()
	first := newEmptyTenant(t, simentra.Behavior{})
	whole, _ := first.compare(first.admin(), w)
	for n := range whole.Steps {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			e := newEmptyTenant(t, simentra.Behavior{})
			a := e.admin()
			plan, actual := e.compare(a, w)
			plan.Apply(t.Context(), &dying{Administrator: a, left: n}, actual, e.tempo(), func(tenant.Progress) {})
			rest, actual := e.compare(a, w)
			if len(rest.Refused) > 0 || len(rest.Steps) > len(plan.Steps)-n { // a rule that was PIM's default anyway is no step any more
				t.Errorf("%d of %d steps left, refused %+v", len(rest.Steps), len(plan.Steps), rest.Refused)
			}
			rest.Apply(t.Context(), a, actual, e.tempo(), func(tenant.Progress) {})
			if last, _ := e.compare(a, w); !last.Nothing() {
				t.Errorf("%+v", last.Steps)
			}
		})
	}
}

func TestApplyUnderThrottlingAndLostAnswers(t *testing.T) {
	t.Parallel()
	e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
	a := e.admin()
	plan, actual := e.compare(a, w)
	for _, f := range []simentra.Fault{
		{Method: http.MethodPost, Path: "/groups", Status: 429, RetryAfter: "10", Count: 2},
		{Method: http.MethodPost, Path: "/v1.0/groups", Skip: 1, Status: 504, AfterWork: true, Count: 1},
		{Method: http.MethodPatch, Path: "/rules/", Status: 503, Count: 2},
		{Method: http.MethodPatch, Path: "/rules/", Skip: 3, Drop: true, AfterWork: true, Count: 1},
		{Method: http.MethodPost, Path: "eligibilityScheduleRequests", Drop: true, AfterWork: true, Count: 1},
	} {
		e.server.Break(f)
	}
	waits := 0
	for i, state := range plan.Apply(t.Context(), a, actual, e.tempo(), func(p tenant.Progress) {
		if p.State == tenant.Waiting {
			waits++
		}
	}) {
		if state != tenant.Done {
			t.Errorf("%s: %s", plan.Steps[i].Says, state)
		}
	}
	if last, _ := e.compare(a, w); !last.Nothing() || waits < 5 {
		t.Errorf("%d waits, then %+v %+v", waits, last.Refused, last.Steps)
	}
}

// shortLived has every token of a sign-in end at once, so that each call needs a new one.
type shortLived struct{ next http.RoundTripper }

var lifetime = regexp.MustCompile(`"(expires_in|ext_expires_in)":\d+`)

func (s shortLived) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.next.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	body = lifetime.ReplaceAll(body, []byte(`"$1":1`))
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return response, err
}

func TestASignInThatEndsDuringApplyIsSaidSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(*emptyTenant) error
		says string
	}{
		"ended":             {func(e *emptyTenant) error { return e.server.RevokeSessions("ada") }, "The sign-in has ended, or Microsoft Entra wants a new one. Run the command again"},
		"Entra not reached": {func(e *emptyTenant) error { e.server.Break(simentra.Fault{Side: "login", Drop: true}); return nil }, "Microsoft Entra was not reached to go on with the sign-in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
			e.trips.next = shortLived{e.trips.next}
			a := e.admin()
			plan, actual := e.compare(a, w)
			var said []string
			end := sync.OnceFunc(func() {
				if err := c.end(e); err != nil {
					t.Error(err)
				}
			})
			states := plan.Apply(t.Context(), a, actual, e.tempo(), func(p tenant.Progress) {
				if p.State == tenant.Done {
					end()
				} else if !strings.HasSuffix(p.Says, "was not made, so this was not done.") {
					said = append(said, p.Says)
				}
			})
			if !slices.Contains(states, tenant.Done) || !slices.Contains(states, tenant.Failed) {
				t.Errorf("%v", states)
			}
			if len(said) == 0 || slices.ContainsFunc(said, func(s string) bool { return !strings.Contains(s, c.says) }) {
				t.Errorf("%q", said)
			}
			if _, err := a.Read(t.Context(), w); name == "ended" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAMissingRightIsNamed(t *testing.T) {
	t.Parallel()
	e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
	if _, err := e.signIn("greta"); !pim.IsKind(err, pim.Administered) || !strings.Contains(err.Error(), "AADSTS90094") || !strings.Contains(err.Error(), "Global Administrator") {
		t.Errorf("without a consent: %v", err)
	}
	e.admin() // who consents for all
	a, err := e.signIn("greta")
	if err != nil {
		t.Fatal(err)
	}
	plan, actual := e.compare(a, w)
	var said []string
	plan.Apply(t.Context(), a, actual, e.tempo(), func(p tenant.Progress) {
		if p.State == tenant.Failed {
			said = append(said, p.Says)
		}
	})
	if !slices.ContainsFunc(said, func(s string) bool {
		return strings.Contains(s, "RoleManagement.ReadWrite.Directory and the role Privileged Role Administrator") && strings.Contains(s, "A Global Administrator can grant it")
	}) {
		t.Errorf("%q", said)
	}
}

// trips counts round trips to Graph, and the waves that they came in: what waits for an answer is in a later one.
type trips struct {
	next   http.RoundTripper
	mu     sync.Mutex
	all    int
	waves  int
	flying int
}

func (c *trips) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/v1.0/") && !strings.HasPrefix(r.URL.Path, "/beta/") {
		return c.next.RoundTrip(r)
	}
	c.mu.Lock()
	c.all++
	if c.flying == 0 {
		c.waves++
	}
	c.flying++
	c.mu.Unlock()
	response, err := c.next.RoundTrip(r)
	c.mu.Lock()
	c.flying--
	c.mu.Unlock()
	return response, err
}

func (c *trips) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all, c.waves = 0, 0
}

func elevateApp(t *testing.T) string {
	t.Helper()
	app, found := cast.Empty().App(cast.AppElevate)
	if !found {
		t.Fatal("no registration")
	}
	return app.ClientID
}

// After Graph was busy, or answered nothing, only the group that this very step made is taken for its own.
func TestAnotherGroupOfTheNameIsNeverTakenForOurs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simentra.Fault{
		"busy":           {Method: http.MethodPost, Path: "/v1.0/groups", Status: 429, RetryAfter: "1", Count: 1},
		"an answer lost": {Method: http.MethodPost, Path: "/v1.0/groups", Status: 504, Count: 1},
		"no answer ever": {Method: http.MethodPost, Path: "/v1.0/groups", Drop: true, Count: 1},
		"already there":  {Method: http.MethodPost, Path: "/v1.0/nothing", Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
			a := e.admin()
			plan, actual := e.compare(a, w)
			e.server.Break(fault)
			tempo := e.tempo()
			wait, evil := tempo.Wait, sync.OnceFunc(func() {
				other := tenant.Step{Kind: tenant.MakeGroup, Group: w.Roles[0].Group, Assignable: true}
				if _, err := e.admin().MakeGroup(t.Context(), other, "somebody-elses", false); err != nil {
					t.Error(err)
				}
			})
			tempo.Wait = func(ctx context.Context, d time.Duration) error { evil(); return wait(ctx, d) }
			if name == "already there" {
				evil()
			}
			w.Roles = w.Roles[:1]
			only := plan
			only.Steps = slices.DeleteFunc(slices.Clone(plan.Steps), func(s tenant.Step) bool { return s.Kind != tenant.MakeGroup || s.Group != w.Roles[0].Group })
			said := ""
			states := only.Apply(t.Context(), a, actual, tempo, func(p tenant.Progress) { said = p.Says })
			if len(states) != 1 || states[0] != tenant.Failed || !strings.Contains(said, "has come about since the plan was made") {
				t.Errorf("%v %q", states, said)
			}
		})
	}
}

// The whole batch is refused: nothing of it was read, and it is asked for again.
func TestReadingGoesOnWhereGraphRefusesABatch(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault simentra.Fault
		good  bool
	}{
		"busy for a while":   {simentra.Fault{Method: http.MethodPost, Path: "/$batch", Status: 429, RetryAfter: "1", Count: 2}, true},
		"down for a moment":  {simentra.Fault{Method: http.MethodPost, Path: "/$batch", Status: 503, Count: 1}, true},
		"busy for much more": {simentra.Fault{Method: http.MethodPost, Path: "/$batch", Status: 429, RetryAfter: "600", Count: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
			a := e.admin()
			e.server.Break(row.fault)
			_, err := a.Read(t.Context(), w)
			if row.good != (err == nil) {
				t.Fatalf("%v", err)
			}
			if err != nil && (!pim.IsKind(err, pim.Throttled) || strings.Contains(err.Error(), "Nothing was changed") || strings.Contains(err.Error(), "tried again")) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAPlanOfAHundredRolesIsFewRoundTrips(t *testing.T) {
	t.Parallel()
	for name, approvers := range map[string]func(i int) string{
		"one group of approvers":      func(int) string { return "Approvers" },
		"a group of approvers a role": func(i int) string { return fmt.Sprint("Approvers ", i) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hundredRoles(t, approvers)
		})
	}
}

func hundredRoles(t *testing.T, approvers func(i int) string) {
	t.Helper()
	e := newEmptyTenant(t, simentra.Behavior{PageSize: 999})
	var w tenant.Wanted
	for i := range 100 {
		name := approvers(i)
		if !slices.ContainsFunc(w.Groups, func(g tenant.Group) bool { return g.Name == name }) {
			w.Groups = append(w.Groups, tenant.Group{Name: name, Members: []string{"bob@contoso.example", "carol@contoso.example"}})
		}
		w.Roles = append(w.Roles, tenant.Role{
			Name: fmt.Sprint("role-", i), Group: fmt.Sprint("Role ", i), Eligible: []string{fmt.Sprint("PIM ", i)}, Approvers: []string{name},
			Rules: tenant.Rules{Longest: time.Hour, Justification: true, Approval: true},
		})
	}
	a := e.admin()
	plan, actual := e.compare(a, w)
	plan.Apply(t.Context(), a, actual, e.tempo(), func(p tenant.Progress) {
		if p.State != tenant.Done {
			t.Errorf("%s: %s %s", plan.Steps[p.Step].Says, p.State, p.Says)
		}
	})
	all := 0
	counted := func(what string, read func() error) {
		t.Helper()
		e.trips.begin()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		all += e.trips.all
		t.Logf("%s: %d round trips in %d waves", what, e.trips.all, e.trips.waves)
		if e.trips.waves > 4 {
			t.Errorf("%s waits for an answer %d times", what, e.trips.waves)
		}
	}
	// The command has these three side by side.
	counted("what the settings name", func() error {
		plan, actual = e.compare(a, w)
		return nil
	})
	counted("the registration", func() error {
		_, err := a.Registration(t.Context(), elevateApp(t))
		return err
	})
	counted("the groups under PIM", func() error {
		_, err := a.GroupsOfPIM(t.Context())
		return err
	})
	if !plan.Nothing() {
		t.Fatalf("%+v", plan.Steps)
	}
	if all > 32 {
		t.Errorf("%d round trips", all)
	}
	e.trips.begin()
	if under, err := a.Beside(t.Context(), slices.Collect(maps.Keys(actual.Details))[:10]); err != nil || len(under.Groups) != 10 || e.trips.all != 1 {
		t.Errorf("beside the roles: %d groups in %d round trips, %v", len(under.Groups), e.trips.all, err)
	}
}

// A pipeline has no person: it proves itself by its platform's token and needs application permissions.
func TestAPipelineSetsTheTenantUp(t *testing.T) {
	e, w := newEmptyTenant(t, simentra.Behavior{}), threeTiers()
	app, _ := cast.Empty().App(cast.AppPipeline)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const issuer, subject, audience = "https://pipeline.example", "repo:contoso/tenant", "api://AzureADTokenExchange"
	e.server.AddFederation(app.ClientID, simentra.Federation{Issuer: issuer, Subject: subject, Audience: audience, Key: &key.PublicKey})
	platform, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": subject, "aud": audience, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(platform), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	pipeline := func() (*entra.Administrator, error) {
		a, err := entra.NewAdministrator(entra.AdministratorConfig{
			TenantID: cast.Empty().TenantID, ClientID: app.ClientID, Authority: e.login, Graph: e.graph, Way: entra.ByPipeline, Changes: true,
			SamePersonAttribute: "employeeId", Transport: e.trips, Sandbox: true, Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.SignIn(t.Context())
		return a, err
	}
	if _, err := pipeline(); !pim.IsKind(err, pim.Administered) || !strings.Contains(err.Error(), "lacks these permissions: Directory.Read.All") {
		t.Errorf("without a permission: %v", err)
	}
	e.server.SetConsents(app.ClientID, nil, entra.AdministratorConfig{Changes: true}.Permissions())
	a, err := pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, actual := e.compare(a, w)
	for i, state := range plan.Apply(t.Context(), a, actual, e.tempo(), func(tenant.Progress) {}) {
		if state != tenant.Done {
			t.Errorf("%s: %s", plan.Steps[i].Says, state)
		}
	}
	if last, _ := e.compare(a, w); !last.Nothing() {
		t.Errorf("%+v", last.Steps)
	}
}
