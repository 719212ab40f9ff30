package simentra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

func (w *world) confidential() confidential.Client {
	w.t.Helper()
	secret, err := confidential.NewCredFromSecret(w.app.Secret)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := confidential.New(w.login+"/"+w.cast.TenantID, w.app.ClientID, secret,
		confidential.WithHTTPClient(w.client), confidential.WithInstanceDiscovery(false), confidential.WithClientCapabilities([]string{"CP1"}))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestMSALSignsPeopleInAndRenewsSilently(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{AccessTokenLife: 10 * time.Minute})
	c := w.confidential()
	scopes := []string{w.graph + "/" + pasWrite, w.graph + "/PrivilegedEligibilitySchedule.Read.AzureADGroup"}
	address, err := c.AuthCodeURL(t.Context(), w.app.ClientID, callback, scopes)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("scope", "openid profile offline_access "+strings.Join(scopes, " ")) // the library leaves these to us
	q.Set("state", "s")
	q.Set("nonce", "n")
	q.Set("code_challenge", challenge())
	q.Set("code_challenge_method", "S256")
	u.RawQuery = q.Encode()
	back := w.signIn(w.browser(), "alice", u.String())
	got, err := c.AcquireTokenByAuthCode(t.Context(), back.Get("code"), callback, scopes, confidential.WithChallenge(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if got.IDToken.Oid != w.person("alice").ObjectID || got.Account.HomeAccountID != w.person("alice").ObjectID+"."+w.cast.TenantID {
		t.Errorf("got %+v", got.Account)
	}
	if caps := claimsOf(t, got.AccessToken)["xms_cc"]; caps == nil {
		t.Error("the capability did not arrive")
	}
	again, err := c.AcquireTokenSilent(t.Context(), scopes, confidential.WithSilentAccount(got.Account))
	if err != nil || again.AccessToken != got.AccessToken {
		t.Fatalf("from the cache: %v", err)
	}
	more, err := c.AcquireTokenSilent(t.Context(), []string{w.graph + "/.default"}, confidential.WithSilentAccount(got.Account))
	if err != nil || more.AccessToken == got.AccessToken {
		t.Fatalf("by the refresh token: %v", err)
	}
	must(t, w.server.RevokeSessions("alice"))
	if _, err := c.AcquireTokenSilent(t.Context(), []string{cast.GraphAppID + "/.default"}, confidential.WithSilentAccount(got.Account)); err == nil {
		t.Error("a revoked session was renewed")
	}
}

func TestMSALWithACertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "elevate"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := confidential.NewCredFromCert([]*x509.Certificate{cert}, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := confidential.New(w.login+"/"+w.cast.TenantID, w.app.ClientID, credential, confidential.WithHTTPClient(w.client), confidential.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AcquireTokenByCredential(t.Context(), []string{w.graph + "/.default"}); err == nil {
		t.Error("an unregistered certificate was taken")
	}
	w.server.AddCertificate(w.app.ClientID, cert)
	if _, err := c.AcquireTokenByCredential(t.Context(), []string{w.graph + "/.default"}); err != nil {
		t.Error(err)
	}
}

func TestWorkloadIdentityStandsForTheSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	const issuer, subject, audience = "https://cluster.example", "system:serviceaccount:elevate:elevate", "api://AzureADTokenExchange"
	w.server.AddFederation(w.app.ClientID, simentra.Federation{Issuer: issuer, Subject: subject, Audience: audience, Key: &key.PublicKey})
	for name, row := range map[string]struct {
		subject, audience string
		lasts             time.Duration
		status            int
	}{
		"the cluster's token": {subject, audience, time.Hour, 200},
		"another workload's":  {"system:serviceaccount:other:other", audience, time.Hour, 401},
		"for another service": {subject, "api://other", time.Hour, 401},
		"an expired one":      {subject, audience, -time.Hour, 401},
	} {
		raw, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"iss": issuer, "sub": row.subject, "aud": row.audience, "exp": w.now().Add(row.lasts).Unix(),
		}).SignedString(key)
		must(t, err)
		r := w.token(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {w.app.ClientID}, "scope": {w.graph + "/.default"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {raw},
		})
		if r.status != row.status {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func (w *world) secretCredential(secret string) *azidentity.ClientSecretCredential {
	w.t.Helper()
	c, err := azidentity.NewClientSecretCredential(w.cast.TenantID, w.app.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: w.login}, Transport: w.client, Retry: policy.RetryOptions{MaxRetries: -1},
		},
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestAzidentityGetsTheBotsToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	wish := policy.TokenRequestOptions{Scopes: []string{w.graph + "/.default"}, EnableCAE: true}
	token, err := w.secretCredential(w.app.Secret).GetToken(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	claims := claimsOf(t, token.Token)
	if claims["idtyp"] != "app" || claims["oid"] != w.app.ServicePrincipalID || len(claims["roles"].([]any)) != len(w.app.Application) {
		t.Errorf("got %v", claims)
	}
	if _, err := w.secretCredential("sandbox-wrong").GetToken(t.Context(), wish); err == nil {
		t.Error("a wrong secret was taken")
	}
}
