package entra_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"elevate/adapters/entra"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

const homeTenant = "72f988bf-0000-4000-8000-2d7cd011db47"

// login is a token endpoint that answers with this status and body and counts.
type login struct {
	*httptest.Server
	tokens  atomic.Int32
	form    atomic.Pointer[map[string][]string]
	foreign atomic.Int32
}

func newLogin(t *testing.T, status int, body string, header ...string) *login {
	t.Helper()
	l := &login{}
	l.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/" + homeTenant + "/v2.0/.well-known/openid-configuration":
			base := l.URL + "/" + homeTenant
			reply(w, 200, fmt.Sprintf(`{"token_endpoint":%q,"authorization_endpoint":%q,"issuer":%q}`, base+"/oauth2/v2.0/token", base+"/oauth2/v2.0/authorize", base+"/v2.0"))
		case "/" + homeTenant + "/oauth2/v2.0/token":
			l.tokens.Add(1)
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			form := map[string][]string(r.PostForm)
			l.form.Store(&form)
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			reply(w, status, body)
		case "/msi":
			asked := r.URL.Query().Get("resource")
			if r.Header.Get("X-IDENTITY-HEADER") != "host" || asked != "api://AzureADTokenExchange" && r.URL.Query().Get("client_id") == "" {
				t.Errorf("asked %s with %v", r.URL, r.Header)
			}
			token := "assertion of the host"
			if asked != "api://AzureADTokenExchange" {
				token = "token for " + asked
			}
			reply(w, 200, fmt.Sprintf(`{"token_type":"Bearer","expires_on":"%d","access_token":%q}`, time.Now().Add(time.Hour).Unix(), token))
		default:
			l.foreign.Add(1)
			reply(w, 404, "{}")
		}
	}))
	t.Cleanup(l.Close)
	return l
}

const goodToken = `{"token_type":"Bearer","expires_in":3600,"access_token":"TOKEN"}`

func credentialFor(l *login) entra.CredentialConfig {
	return entra.CredentialConfig{
		TenantID: homeTenant, ClientID: "5e471ce0-0000-4000-8000-000000000001", Authority: l.URL, Sandbox: true,
		Transport: l.Client().Transport, Secret: secret.New("SECRET"),
	}
}

func fetch(t *testing.T, cfg entra.CredentialConfig) (string, error) {
	t.Helper()
	credential, err := entra.NewAppCredential(cfg)
	if err != nil {
		return "", err
	}
	token, err := credential.GetToken(context.WithoutCancel(t.Context()), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	return token.Token, err
}

func TestTheApplicationSignsIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("assertion of kubernetes"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	cases := map[string]struct {
		change func(*entra.CredentialConfig)
		field  string
		value  string
	}{
		"by a secret":      {func(*entra.CredentialConfig) {}, "client_secret", "SECRET"},
		"by a certificate": {func(c *entra.CredentialConfig) { c.Secret, c.Certificate = secret.Text{}, secret.New(certificate(t)) }, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"by its workload":  {func(c *entra.CredentialConfig) { c.Secret, c.Federated = secret.Text{}, entra.WorkloadIdentity }, "client_assertion", "assertion of kubernetes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLogin(t, 200, goodToken)
			cfg := credentialFor(l)
			tc.change(&cfg)
			token, err := fetch(t, cfg)
			if err != nil || token != "TOKEN" {
				t.Fatalf("%q, %v", token, err)
			}
			form := *l.form.Load()
			if got := form[tc.field]; len(got) != 1 || got[0] != tc.value {
				t.Errorf("%s is %v", tc.field, got)
			}
			if l.foreign.Load() != 0 || form["grant_type"][0] != "client_credentials" {
				t.Errorf("%d other calls, %v", l.foreign.Load(), form["grant_type"])
			}
		})
	}
}

// certificate makes a PEM with a certificate and its key.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "elevate"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// msbotbuilder-go asks for a token for each (connector/client/client.go:144-189).
func TestManyAtOnceAskForOneToken(t *testing.T) {
	l := newLogin(t, 200, goodToken)
	credential, err := entra.NewAppCredential(credentialFor(l))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://api.botframework.com/.default"}})
			if err != nil || token.Token != "TOKEN" {
				t.Errorf("%q, %v", token.Token, err)
			}
		})
	}
	all.Wait()
	if asked := l.tokens.Load(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// msbotbuilder-go takes numbers only (connector/client/client.go:177-191).
func TestALifetimeMayBeAText(t *testing.T) {
	l := newLogin(t, 200, `{"token_type":"Bearer","expires_in":"3600","access_token":"TOKEN"}`)
	if token, err := fetch(t, credentialFor(l)); err != nil || token != "TOKEN" {
		t.Errorf("%q, %v", token, err)
	}
}

func TestTheApplicationSignsInByItsHost(t *testing.T) {
	l := newLogin(t, 200, goodToken)
	t.Setenv("IDENTITY_ENDPOINT", l.URL+"/msi")
	t.Setenv("IDENTITY_HEADER", "host")
	cfg := credentialFor(l)
	cfg.Secret, cfg.Federated = secret.Text{}, entra.ManagedIdentity
	token, err := fetch(t, cfg)
	if err != nil || token != "TOKEN" {
		t.Fatalf("%q, %v", token, err)
	}
	if got := (*l.form.Load())["client_assertion"]; len(got) != 1 || got[0] != "assertion of the host" {
		t.Errorf("assertion %v", got)
	}
	assertion, err := entra.NewAssertion(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := assertion(t.Context()); err != nil || got.Reveal() != "assertion of the host" {
		t.Errorf("for people's sign-ins: %v", err)
	}
}

// A bot whose application is the host's identity itself has no other credential: the host's token is its own.
func TestAnApplicationThatIsTheHostsIdentityNeedsNoAssertion(t *testing.T) {
	l := newLogin(t, 200, goodToken)
	t.Setenv("IDENTITY_ENDPOINT", l.URL+"/msi")
	t.Setenv("IDENTITY_HEADER", "host")
	cfg := credentialFor(l)
	cfg.Secret, cfg.Federated = secret.Text{}, entra.ManagedIdentity
	t.Setenv("AZURE_CLIENT_ID", strings.ToUpper(cfg.ClientID))
	token, err := fetch(t, cfg)
	if err != nil || token != "token for https://graph.microsoft.com" || l.form.Load() != nil {
		t.Errorf("%q, %v, asked Entra with %v", token, err, l.form.Load())
	}
}

func TestAFederatedApplicationProvesItselfToPeoplesSignInsByTheTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	assertion, err := entra.NewAssertion(entra.CredentialConfig{Federated: entra.WorkloadIdentity})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := assertion(t.Context()); !got.IsZero() || !pim.IsKind(err, pim.Unavailable) || strings.Contains(err.Error(), file) {
		t.Errorf("without the file: %v", err)
	}
	for _, token := range []string{"first", "second"} { // Kubernetes replaces it
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := assertion(t.Context()); err != nil || got.Reveal() != token {
			t.Errorf("%s: %v", token, err)
		}
	}
}

func TestAnUnusableCredentialSaysWhichWithoutItsContent(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	l := newLogin(t, 200, goodToken)
	for name, change := range map[string]func(*entra.CredentialConfig){
		"nothing":        func(c *entra.CredentialConfig) { c.Secret = secret.Text{} },
		"two of them":    func(c *entra.CredentialConfig) { c.Federated = entra.ManagedIdentity },
		"no certificate": func(c *entra.CredentialConfig) { c.Secret, c.Certificate = secret.Text{}, secret.New("SECRET") },
		"a key alone": func(c *entra.CredentialConfig) {
			c.Secret, c.Certificate = secret.Text{}, secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		},
		"another word":      func(c *entra.CredentialConfig) { c.Secret, c.Federated = secret.Text{}, "trust-me" },
		"no homeTenant":     func(c *entra.CredentialConfig) { c.TenantID = "" },
		"no federated file": func(c *entra.CredentialConfig) { c.Secret, c.Federated = secret.Text{}, entra.WorkloadIdentity },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := credentialFor(l)
			change(&cfg)
			_, err := entra.NewAppCredential(cfg)
			if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), l.URL) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAWorkloadIdentityWithoutItsTokenFileNamesTheVariable(t *testing.T) {
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "")
	cfg := credentialFor(newLogin(t, 200, goodToken))
	cfg.Secret, cfg.Federated = secret.Text{}, entra.WorkloadIdentity
	_, app := entra.NewAppCredential(cfg)
	_, people := entra.NewAssertion(cfg)
	for _, err := range []error{app, people} {
		if err == nil || !strings.Contains(err.Error(), "AZURE_FEDERATED_TOKEN_FILE, which is not set") {
			t.Errorf("%v", err)
		}
	}
}

func TestAFailedSignInOfTheApplicationTellsNothingOfTheWire(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		kind   pim.Kind
		code   string
	}{
		"wrong secret": {401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret SECRET provided."}`, pim.Administered, "AADSTS7000215"},
		"throttled":    {429, `{"error":"SECRET"}`, pim.Throttled, ""},
		"down":         {503, `{"error":"SECRET"}`, pim.Unavailable, ""},
		"not JSON":     {400, `<html>SECRET</html>`, pim.Administered, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLogin(t, tc.status, tc.body, "Retry-After", "9")
			_, err := fetch(t, credentialFor(l))
			e := explain(t, err)
			checkSentence(t, e, err)
			if e.Kind != tc.kind || e.Code != tc.code || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%+v", e)
			}
			if tc.kind == pim.Throttled && e.RetryAfter != 9*time.Second {
				t.Errorf("%v", e.RetryAfter)
			}
			if n := l.tokens.Load(); n != 1 {
				t.Errorf("%d calls, want one: who waits is the queue", n)
			}
		})
	}
	gone := newLogin(t, 200, goodToken)
	gone.Close()
	if _, err := fetch(t, credentialFor(gone)); explain(t, err).Kind != pim.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestLookSaysWhenTheApplicationCannotSignIn(t *testing.T) {
	l := newLogin(t, 401, `{"error":"invalid_client","error_description":"AADSTS7000222: expired"}`)
	credential, err := entra.NewAppCredential(credentialFor(l))
	if err != nil {
		t.Fatal(err)
	}
	g := looking(t, nil)
	cfg := config(g)
	cfg.AppCredential = credential
	_, err = client(t, cfg).Look(t.Context(), pim.Question{Requests: []string{"1"}})
	if e := explain(t, err); e.Kind != pim.Administered || e.Code != "AADSTS7000222" || len(g.seenCalls()) != 0 {
		t.Errorf("%+v", e)
	}
}
