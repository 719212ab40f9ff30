package simentra_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

const policyWrite = "RoleManagementPolicy.ReadWrite.AzureADGroup"

func (w *world) devicePage() string { return w.login + "/" + w.cast.TenantID + "/oauth2/deviceauth" }

// wishes are scopes spelled with Graph's address.
func (w *world) wishes(names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, w.graph+"/"+n)
	}
	return out
}

func TestAnAdministratorConsentsByDeviceCode(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, cast.Empty(), simentra.Behavior{})
	var pages []string
	c, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: w.clientOptions(), ClientID: cast.GraphCLIClientID, TenantID: w.cast.TenantID, DisableInstanceDiscovery: true,
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			form := url.Values{"user_code": {m.UserCode}, "account": {"ada"}}
			pages = append(pages, w.postForm(w.client, m.VerificationURL, form).body) //nolint:contextcheck // the test's own will do
			form.Set("consent", "organization")
			pages = append(pages, w.postForm(w.client, m.VerificationURL, form).body) //nolint:contextcheck // the test's own will do
			return nil
		},
	})
	must(t, err)
	token, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: w.wishes(policyWrite, "Group.ReadWrite.All")})
	must(t, err)
	if !strings.Contains(pages[0], policyWrite) || !strings.Contains(pages[1], "You may close this window") {
		t.Errorf("got %v", pages)
	}
	scp := strings.Fields(claimsOf(t, token.Token)["scp"].(string))
	if !slices.Contains(scp, policyWrite) || slices.Contains(scp, pasWrite) {
		t.Errorf("scp is %v", scp)
	}
	w.tokens["ada"] = token.Token
	w.created()
	// What ada granted for everybody, greta is not asked for again.
	w.tokens["greta"] = w.deviceToken("greta", strings.Join(w.wishes("Group.ReadWrite.All"), " "))
	if r := w.call("greta", http.MethodPost, "/v1.0/groups", newGroup()); r.status != http.StatusCreated {
		t.Errorf("greta: %d %s", r.status, r.body)
	}
}

func (w *world) clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: w.login}, Transport: w.client, Retry: policy.RetryOptions{MaxRetries: -1},
	}
}

func TestAnAdministratorConsentsInTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, cast.Empty(), simentra.Behavior{})
	client, err := public.New(cast.GraphCLIClientID, public.WithAuthority(w.login+"/"+w.cast.TenantID), public.WithHTTPClient(w.client), public.WithInstanceDiscovery(false))
	must(t, err)
	said := url.Values{"account": {"ada"}}
	open := func(address string) error {
		b := w.browser()
		if r := w.postForm(b, address, said); r.status != http.StatusOK || !strings.Contains(r.body, "Permissions requested") {
			t.Errorf("got %d %s", r.status, r.body)
		}
		said.Set("consent", "accept")
		w.pressContinue(b, w.postForm(b, address, said))
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := client.AcquireTokenInteractive(ctx, w.wishes(policyWrite), public.WithOpenURL(open))
	must(t, err)
	if !slices.Contains(strings.Fields(claimsOf(t, got.AccessToken)["scp"].(string)), policyWrite) || got.Account.PreferredUsername != w.person("ada").UPN {
		t.Errorf("got %+v", got.Account)
	}
	again, err := client.AcquireTokenSilent(ctx, w.wishes(policyWrite), public.WithSilentAccount(got.Account))
	if err != nil || again.AccessToken != got.AccessToken {
		t.Errorf("from the cache: %v", err)
	}
	if _, err := client.AcquireTokenSilent(ctx, w.wishes("Group.ReadWrite.All"), public.WithSilentAccount(got.Account)); err == nil || !strings.Contains(err.Error(), "AADSTS65001") {
		t.Errorf("what nobody granted: %v", err)
	}
}

var (
	formAction = regexp.MustCompile(`action="([^"]+)"`)
	formField  = regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`)
)

// pressContinue submits the page by which an answer travels in a form.
func (w *world) pressContinue(b *http.Client, page reply) {
	w.t.Helper()
	action := formAction.FindStringSubmatch(page.body)
	if action == nil {
		w.t.Fatalf("no form: %d %s", page.status, page.body)
	}
	fields := url.Values{}
	for _, f := range formField.FindAllStringSubmatch(page.body, -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	w.postForm(b, html.UnescapeString(action[1]), fields)
}

func TestWhoMayConsentToWhat(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, cast.Empty(), simentra.Behavior{})
	pim := strings.Join(w.wishes(policyWrite), " ")
	for name, row := range map[string]struct {
		client, who, scope, consent string
		page, poll                  string
	}{
		"an administrator is asked":       {cast.GraphCLIClientID, "ada", pim, "", "Permissions requested", "authorization_pending"},
		"an administrator declines":       {cast.GraphCLIClientID, "ada", pim, "decline", "AADSTS65004", "access_denied"},
		"alice needs an administrator":    {cast.GraphCLIClientID, "alice", pim, "accept", "AADSTS90094", "consent_required"},
		"greta too":                       {cast.GraphCLIClientID, "greta", pim, "organization", "AADSTS90094", "consent_required"},
		"alice may grant what is her own": {cast.GraphCLIClientID, "alice", "User.ReadBasic.All", "", "Permissions requested", "authorization_pending"},
		"but not for everybody":           {cast.GraphCLIClientID, "alice", "User.ReadBasic.All", "organization", "AADSTS90094", "consent_required"},
		"the Azure CLI cannot ask":        {cast.AzureCLIClientID, "ada", pim, "", "AADSTS65002", "invalid_request"},
	} {
		started := w.postForm(w.client, w.login+"/"+w.cast.TenantID+"/oauth2/v2.0/devicecode", url.Values{"client_id": {row.client}, "scope": {row.scope}}).json(t)
		r := w.postForm(w.client, w.devicePage(), url.Values{"user_code": {started["user_code"].(string)}, "account": {row.who}, "consent": {row.consent}})
		polled := w.token(url.Values{"grant_type": {"device_code"}, "client_id": {row.client}, "device_code": {started["device_code"].(string)}}).json(t)
		if !strings.Contains(r.body, row.page) || polled["error"] != row.poll {
			t.Errorf("%s: %v, %s", name, polled, r.body)
		}
	}
	r := w.postForm(w.client, w.login+"/"+w.cast.TenantID+"/oauth2/v2.0/devicecode", url.Values{"client_id": {cast.GraphCLIClientID}, "scope": {"Pigeon.Read.All"}})
	if r.status != http.StatusBadRequest || !strings.Contains(r.body, "AADSTS650053") {
		t.Errorf("a scope that is not there: %d %s", r.status, r.body)
	}
}

func TestDecliningConsentLeadsBackToTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, cast.Empty(), simentra.Behavior{})
	address := w.authorizeURL("client_id", cast.GraphCLIClientID, "redirect_uri", "http://localhost:8400", "scope", policyWrite)
	r := w.postForm(w.browser(), address, url.Values{"account": {"ada"}, "consent": {"decline"}})
	back, err := url.Parse(r.header.Get("Location"))
	must(t, err)
	if back.Host != "localhost:8400" || back.Query().Get("error") != "access_denied" || !strings.Contains(back.Query().Get("error_description"), "AADSTS65004") {
		t.Errorf("got %d %s", r.status, back)
	}
	cli := w.authorizeURL("client_id", cast.AzureCLIClientID, "redirect_uri", "http://localhost:8400", "scope", policyWrite)
	if r := w.postForm(w.browser(), cli, url.Values{"account": {"ada"}}); !strings.Contains(r.body, "AADSTS65002") {
		t.Errorf("the Azure CLI: %d %s", r.status, r.body)
	}
	if r := w.get(w.browser(), address+"&prompt=none"); !strings.Contains(r.header.Get("Location"), "error=login_required") {
		t.Errorf("silently: %s", r.header.Get("Location"))
	}
}

func TestThePipelineSetsTheTenantUp(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, cast.Empty(), simentra.Behavior{})
	w.app, _ = w.cast.App(cast.AppPipeline)
	w.setUpOne(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	const issuer, subject, audience = "https://token.actions.example", "repo:contoso/elevate:environment:production", "api://AzureADTokenExchange"
	w.server.AddFederation(w.app.ClientID, simentra.Federation{Issuer: issuer, Subject: subject, Audience: audience, Key: &key.PublicKey})
	assertion := func(context.Context) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"iss": issuer, "sub": subject, "aud": audience, "exp": w.now().Add(time.Hour).Unix(),
		}).SignedString(key)
	}
	c, err := azidentity.NewClientAssertionCredential(w.cast.TenantID, w.app.ClientID, assertion, &azidentity.ClientAssertionCredentialOptions{
		ClientOptions: w.clientOptions(), DisableInstanceDiscovery: true,
	})
	must(t, err)
	token, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: w.wishes(".default")})
	must(t, err)
	w.tokens["app"] = token.Token
	w.setUpOne(t)
}

// setUpOne makes a group, a rule and an eligibility as the application.
func (w *world) setUpOne(t *testing.T) {
	t.Helper()
	r := w.call("app", http.MethodPost, "/v1.0/groups", newGroup("isAssignableToRole", true))
	if r.status != http.StatusCreated {
		t.Fatalf("the group: %d %s", r.status, r.body)
	}
	g := r.json(t)["id"].(string)
	found := w.value("app", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '"+g+"' and scopeType eq 'Group' and roleDefinitionId eq 'member'")
	if r := w.change("app", found[0]["policyId"].(string), "ExpirationRule", "Expiration_Admin_Eligibility", "isExpirationRequired", false); r.status != http.StatusNoContent {
		t.Errorf("the rule: %d %s", r.status, r.body)
	}
	if r := w.makeEligible("app", w.person("carol").ObjectID, g, forEver()); r.status != http.StatusCreated {
		t.Errorf("the eligibility: %d %s", r.status, r.body)
	}
	rows := w.value("app", "/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Update role setting in PIM' and targetResources/any(t:t/id eq '"+g+"')")
	if len(rows) != 1 || rows[0]["initiatedBy"].(map[string]any)["app"].(map[string]any)["displayName"] != cast.AppPipeline {
		t.Errorf("the audit: %v", rows)
	}
}
