package entra

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// Way is how an administrator, or a pipeline, signs in to set up the tenant.
type Way string

// The ways to sign in.
const (
	// ByBrowser opens the browser on this machine.
	ByBrowser Way = "browser"
	// ByDevice shows a code to type on another device's browser.
	ByDevice Way = "device"
	// ByPipeline takes the workload identity of a pipeline, which has application permissions of its own.
	ByPipeline Way = "pipeline"
)

// AdministratorConfig is what an Administrator needs.
type AdministratorConfig struct {
	TenantID string
	// ClientID is the public client that people sign in through, or the pipeline's own application. It is never the bot's.
	ClientID  string
	Authority string
	Graph     string
	Way       Way
	// Changes asks for the permissions to change what Administrator can change; without it all are to read.
	Changes bool
	// Groups, Defender add permissions: to read which groups are under PIM, and roles in Defender, both through Graph's beta.
	Groups, Defender bool
	// SamePersonAttribute is the one of Config.
	SamePersonAttribute string
	// Tell is given what the person has to do to sign in by device: a page and a code.
	Tell      func(message string)
	Transport http.RoundTripper
	Sandbox   bool
	Now       func() time.Time
}

// An Administrator reads and sets up the tenant's side of things with the rights of whoever signed in. It shares nothing
// with the bot's own identity.
type Administrator struct {
	client     *Client
	beta       *Client
	credential azcore.TokenCredential
	refused    refusals
	cfg        AdministratorConfig
}

// NewAdministrator makes one. It calls nobody.
func NewAdministrator(cfg AdministratorConfig) (*Administrator, error) {
	a := &Administrator{cfg: cfg}
	var err error
	if a.credential, err = a.makeCredential(); err != nil {
		return nil, err
	}
	if a.client, err = a.graph("/v1.0"); err != nil {
		return nil, err
	}
	a.beta, err = a.graph("/beta")
	return a, err
}

func (a *Administrator) graph(version string) (*Client, error) {
	c, err := New(Config{
		Graph: a.cfg.Graph, Transport: a.cfg.Transport, AppCredential: session{a}, SamePersonAttribute: a.cfg.SamePersonAttribute,
		PersonToken: func(context.Context, pim.Actor, string) (secret.Text, time.Time, error) {
			return secret.Text{}, time.Time{}, pim.Errorf(pim.Internal, "Nobody's session is used here.")
		},
		Now: a.cfg.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	c.base.Path = version
	if c.scopes = a.scopes(); version != "/v1.0" {
		c.questions, err = c.asApp(opBatch)
	}
	return c, err
}

// Permissions that setting up needs, by their names at Graph.
var (
	toRead = []string{
		"Application.Read.All", "AuditLog.Read.All", "Directory.Read.All", "PrivilegedAssignmentSchedule.Read.AzureADGroup",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup",
	}
	toChange = []string{
		"Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "RoleManagementPolicy.ReadWrite.AzureADGroup",
		"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	}
)

const (
	readGroupsOfPIM = "PrivilegedAccess.Read.AzureADGroup"
	readDefender    = "RoleManagement.Read.Defender"
)

// Permissions are those that are asked for, or that a pipeline's application must have.
func (cfg AdministratorConfig) Permissions() []string {
	needed := slices.Clone(toRead)
	if cfg.Changes {
		needed = append(needed, toChange...)
	}
	if cfg.Groups {
		needed = append(needed, readGroupsOfPIM)
	}
	if cfg.Defender {
		needed = append(needed, readDefender)
	}
	slices.Sort(needed)
	return needed
}

// scopes names each permission for a person; a pipeline has those that its application was given.
func (a *Administrator) scopes() []string {
	graph := strings.TrimRight(a.cfg.Graph, "/") + "/"
	if a.cfg.Way == ByPipeline {
		return []string{graph + ".default"}
	}
	var scopes []string
	for _, p := range a.cfg.Permissions() {
		scopes = append(scopes, graph+p)
	}
	return scopes
}

// refusals keeps what azidentity loses: the number of Entra's last refusal where a device code is waited for, and whether
// its certificate was not trusted, or that a session has ended.
type refusals struct {
	next      http.RoundTripper
	last      atomic.Pointer[string]
	untrusted atomic.Bool
	ended     atomic.Bool // a session was to go on, and Entra wants a new sign-in
}

// waitsForCode is what Entra answers until somebody has entered the code.
const waitsForCode = "AADSTS70016"

// RoundTrip implements http.RoundTripper.
func (r *refusals) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		r.untrusted.Store(true)
	}
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response, err
	}
	body, err := readCapped(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(`"invalid_grant"`)) || bytes.Contains(body, []byte(`"interaction_required"`)) {
		r.ended.Store(true)
	}
	if number := entraCode.FindString(string(body)); number != "" && number != waitsForCode {
		r.last.Store(&number)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

func (a *Administrator) makeCredential() (azcore.TokenCredential, error) {
	cfg := a.cfg
	a.refused.next = cfg.Transport
	if a.refused.next == nil {
		a.refused.next = defaultTransport()
	}
	options := clientOptions(CredentialConfig{Authority: cfg.Authority, Transport: &a.refused})
	switch cfg.Way {
	case ByBrowser:
		return made(azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: options, ClientID: cfg.ClientID, TenantID: cfg.TenantID, DisableInstanceDiscovery: cfg.Sandbox, DisableAutomaticAuthentication: true,
		}))
	case ByDevice:
		return made(azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: options, ClientID: cfg.ClientID, TenantID: cfg.TenantID, DisableInstanceDiscovery: cfg.Sandbox, DisableAutomaticAuthentication: true,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
				cfg.Tell("Open " + m.VerificationURL + " in a browser and enter the code " + m.UserCode + ".")
				return nil
			},
		}))
	case ByPipeline:
		return appCredential(CredentialConfig{
			TenantID: cfg.TenantID, ClientID: cfg.ClientID, Authority: cfg.Authority, Federated: WorkloadIdentity, Transport: cfg.Transport, Sandbox: cfg.Sandbox,
		})
	}
	return nil, pim.Errorf(pim.Internal, "%q is no way to sign in.", cfg.Way)
}

// session gives the tokens of who signed in. azidentity says that a sign-in is needed whatever went wrong.
type session struct{ a *Administrator }

// GetToken implements azcore.TokenCredential.
func (s session) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := s.a.credential.GetToken(ctx, options)
	if _, required := errors.AsType[*azidentity.AuthenticationRequiredError](err); !required || ctx.Err() != nil {
		return token, err
	}
	if s.a.refused.ended.Load() {
		return token, pim.Errorf(pim.SignIn, "%s", signInEnded)
	}
	return token, pim.Errorf(pim.Unavailable, "Microsoft Entra was not reached to go on with the sign-in.")
}

// signsIn is what the two credentials of people have.
type signsIn interface {
	Authenticate(ctx context.Context, opts *policy.TokenRequestOptions) (azidentity.AuthenticationRecord, error)
}

// SignIn signs in, waits for a person where one has to do something, and returns who it was. An error says in whole
// sentences what to do.
func (a *Administrator) SignIn(ctx context.Context) (string, error) {
	options := policy.TokenRequestOptions{Scopes: a.scopes(), EnableCAE: true}
	who := "the pipeline's application " + a.cfg.ClientID
	if person, ok := a.credential.(signsIn); ok {
		record, err := person.Authenticate(ctx, &options)
		if err != nil {
			return "", a.signInError(ctx, err)
		}
		who = record.Username
		a.refused.ended.Store(false) // it was about the sign-in, which went well in the end
	}
	token, err := a.credential.GetToken(ctx, options)
	if err != nil {
		return "", a.signInError(ctx, err)
	}
	if lacks := lacking(token.Token, a.cfg.Permissions()); len(lacks) > 0 {
		return "", pim.Errorf(pim.Administered, "The sign-in as %s lacks these permissions: %s. Somebody who is Global Administrator or Privileged Role Administrator "+
			"has to consent to them for the client %s, or sign in here.", who, strings.Join(lacks, ", "), a.cfg.ClientID)
	}
	return who, nil
}

// lacking are the permissions that a token does not have. The token is the administrator's own and decides nothing here:
// Graph refuses what it does not allow. A permission to write includes the one to read the same.
func lacking(token string, needed []string) []string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil // opaque: Graph will say
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Scopes string   `json:"scp"`
		Roles  []string `json:"roles"`
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	have := append(strings.Fields(claims.Scopes), claims.Roles...)
	return slices.DeleteFunc(slices.Clone(needed), func(need string) bool {
		return slices.ContainsFunc(have, func(h string) bool {
			return strings.EqualFold(h, need) || strings.EqualFold(h, strings.Replace(need, ".Read.", ".ReadWrite.", 1))
		})
	})
}

// signInAdvice says what to do about Entra's numbers.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var signInAdvice = map[string]string{
	"AADSTS65002": "Microsoft Entra refused (AADSTS65002): this client is one of Microsoft's own that cannot call PIM, as the Azure CLI's (PermissionScopeNotGranted). " +
		"Remove tenant.client_id from the settings, which takes Microsoft Graph Command Line Tools, or name a public client of your own.",
	"AADSTS65001":   "Microsoft Entra refused (AADSTS65001): nobody has consented to what is asked for. Sign in as a Global Administrator once, or have one consent.",
	"AADSTS90094":   "Microsoft Entra refused (AADSTS90094): only an administrator can consent to what is asked for. Sign in as a Global Administrator once, or have one consent.",
	"AADSTS65004":   "The consent was declined. Run the command again and accept what it asks for.",
	"AADSTS70018":   "The sign-in was declined. Run the command again.",
	"AADSTS70020":   "The code expired before anybody entered it. Run the command again.",
	"AADSTS50105":   "Microsoft Entra refused (AADSTS50105): this person is not assigned to the client. Assign them in Entra's enterprise applications, or sign in as another.",
	"AADSTS700016":  "Microsoft Entra does not know the client in this tenant (AADSTS700016). Check tenant.client_id and entra.tenant_id in the settings.",
	"AADSTS7000218": "The client is not a public one (AADSTS7000218). Allow public client flows in its registration, or name another as tenant.client_id.",
	"AADSTS53003":   "Conditional access refused this sign-in (AADSTS53003). Many tenants block device codes: use -sign-in browser, from a machine that the policies allow.",
	"AADSTS50011":   "The client has no redirect address http://localhost (AADSTS50011). Add it under the platform of mobile and desktop applications, or use -sign-in device.",
	"AADSTS90072":   "This account does not belong to the tenant (AADSTS90072). Sign in with one that does.",
}

func (a *Administrator) signInError(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*pim.Error](err); ok {
		return known
	}
	if ctx.Err() != nil {
		return pim.Errorf(pim.Unavailable, "Nobody signed in. Nothing was changed; run the command again.")
	}
	number := entraCode.FindString(err.Error())
	if last := a.refused.last.Load(); number == "" && last != nil {
		number = *last
	}
	if advice, known := signInAdvice[number]; known {
		return &pim.Error{Kind: pim.Administered, Message: advice, Code: number}
	}
	switch {
	case number != "":
		return &pim.Error{Kind: pim.Administered, Code: number, Message: "Microsoft Entra refused the sign-in (" + number + "). Look the number up at https://login.microsoftonline.com/error, or try another way with -sign-in."}
	case strings.Contains(err.Error(), "authorization_declined"):
		return pim.Errorf(pim.Administered, "The sign-in was declined. Run the command again.")
	case strings.Contains(err.Error(), "expired_token"), strings.Contains(err.Error(), "code_expired"):
		return pim.Errorf(pim.Administered, "The code expired before anybody entered it. Run the command again.")
	case a.refused.untrusted.Load():
		return pim.Errorf(pim.Unavailable, "The certificate of %s is not trusted here. Have this machine trust the proxy's certificates, or name them in SSL_CERT_FILE; "+
			"for a sandbox that is SSL_CERT_FILE=DIR/ca.pem, where DIR is its directory.", a.cfg.Authority)
	case a.cfg.Way == ByBrowser:
		return pim.Errorf(pim.Unavailable, "No browser could be opened, or nobody signed in there. Use -sign-in device, which shows a code to enter anywhere.")
	}
	return pim.Errorf(pim.Unavailable, "Microsoft Entra was not reached to sign in. Nothing was changed; try again in a minute.")
}
