package signin_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/secret"
	"elevate/internal/signin"
)

func TestContextsComeFromTheVerifiedIDTokenAlone(t *testing.T) {
	for name, row := range map[string]struct {
		acrs any
		want []string
		says int
	}{
		"a list":     {[]string{"c1", "c2"}, []string{"c1", "c2"}, http.StatusOK},
		"one string": {"c1", []string{"c1"}, http.StatusOK},
		"none":       {nil, nil, http.StatusOK},
		"a number":   {7, nil, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			b := linked(t, nil)
			who := person(alice, "Alice")
			if row.acrs != nil {
				who["acrs"] = row.acrs
			}
			w := b.visitor().signIn(b.newLink(aliceSlack, ""), who)
			session, _ := b.session(aliceSlack)
			if w.Code != row.says || !slices.Equal(session.ACRS, row.want) {
				t.Errorf("%d, contexts %q", w.Code, session.ACRS)
			}
		})
	}
}

// hosts notes whom a client calls.
type hosts struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	if !slices.Contains(h.seen, r.URL.Host) {
		h.seen = append(h.seen, r.URL.Host)
	}
	h.mu.Unlock()
	return h.next.RoundTrip(r)
}

// MSAL's line 5: instance discovery for a host that MSAL does not know would go to the public login host.
func TestNobodyIsAskedButTheAuthority(t *testing.T) {
	var seen *hosts
	b := newBench(t, func(c *signin.Config) {
		seen = &hosts{next: c.Transport}
		c.Transport = seen
	})
	w := b.visitor().signInBoth(b.newLink(aliceSlack, ""), person(alice, "Alice"), slackAccount(team, aliceSlack.User))
	mustSay(t, w, http.StatusOK, "is linked")
	if _, kind := b.token(asAlice); kind != "" {
		t.Fatal(kind)
	}
	if want := strings.TrimPrefix(b.idp.URL, "https://"); len(seen.seen) != 1 || seen.seen[0] != want {
		t.Errorf("asked %q, want %s alone", seen.seen, want)
	}
}

// MSAL's line 6.
func TestTheAuthorityIsAnHTTPSAddress(t *testing.T) {
	b := newBench(t, nil)
	for _, authority := range []string{"http://login.example", "login.example", "ftp://login.example", ""} {
		b.cfg.Authority = authority
		if _, err := newService(b); err == nil {
			t.Errorf("%q was taken", authority)
		}
	}
}

func TestTheApplicationProvesItselfByCertificateOrAssertion(t *testing.T) {
	makeKeys(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "elevate"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, sharedKey.Public(), sharedKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(sharedKey)
	if err != nil {
		t.Fatal(err)
	}
	both := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	for name, change := range map[string]func(*signin.Config){
		"certificate": func(c *signin.Config) { c.ClientSecret, c.Certificate = secret.Text{}, secret.New(both) },
		"assertion": func(c *signin.Config) {
			c.ClientSecret = secret.Text{}
			c.Assertion = func(context.Context) (secret.Text, error) { return secret.New("assertion of the platform"), nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := linked(t, change)
			form := b.idp.asked[0]
			assertion := form.Get("client_assertion")
			if form.Get("client_secret") != "" || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || assertion == "" {
				t.Errorf("Entra was sent %v", form)
			}
			if name == "assertion" && assertion != "assertion of the platform" {
				t.Errorf("the assertion is %q", assertion)
			}
		})
	}
	b := newBench(t, nil)
	b.cfg.ClientSecret, b.cfg.Certificate = secret.Text{}, secret.New("SECRET")
	if _, err := newService(b); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("a certificate that is none: %v", err)
	}
}
