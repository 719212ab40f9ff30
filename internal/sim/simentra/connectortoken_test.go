package simentra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
)

// connector is the form by which the bot asks for the connector's token, with what proves that it is the bot.
func (w *world) connector(proof ...string) url.Values {
	bot, _ := w.cast.App(cast.AppBot)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {bot.ClientID}, "scope": {"https://api.botframework.com/.default"}}
	for i := 0; i < len(proof); i += 2 {
		form.Set(proof[i], proof[i+1])
	}
	return form
}

func TestTheBotGetsATokenForTheConnector(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	bot, _ := w.cast.App(cast.AppBot)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	const issuer, subject, audience = "https://cluster.example", "system:serviceaccount:elevate:elevate", "api://AzureADTokenExchange"
	w.server.AddFederation(bot.ClientID, simentra.Federation{Issuer: issuer, Subject: subject, Audience: audience, Key: &key.PublicKey})
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": subject, "aud": audience, "exp": w.now().Add(time.Hour).Unix(),
	}).SignedString(key)
	must(t, err)
	for name, form := range map[string]url.Values{
		"by its secret": w.connector("client_secret", bot.Secret),
		"by federation": w.connector("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion),
		"through MSAL":  w.connector("client_secret", bot.Secret, "scope", "https://api.botframework.com/.default openid offline_access profile"),
	} {
		r := w.token(form)
		raw, _ := r.json(t)["access_token"].(string)
		app, tenant, err := w.server.ConnectorCaller(raw)
		if err != nil || app != bot.ClientID || tenant != w.cast.TenantID {
			t.Errorf("%s: %d %s, %s %s %v", name, r.status, r.body, app, tenant, err)
		}
		if claimsOf(t, raw)["roles"] != nil {
			t.Errorf("%s: the token has roles", name)
		}
	}
	if r := w.token(w.connector("client_secret", "sandbox-wrong")); r.status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", r.status)
	}
}

func TestAMultiTenantSignInDoesNotKnowTheBot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	bot, _ := w.cast.App(cast.AppBot)
	r := w.postForm(w.client, w.login+"/botframework.com/oauth2/v2.0/token", w.connector("client_secret", bot.Secret))
	if r.status != http.StatusBadRequest || !strings.Contains(r.body, "AADSTS700016") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestTokensAreGoodForOneServiceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simentra.Behavior{})
	bot, _ := w.cast.App(cast.AppBot)
	for name, scope := range map[string]string{"Graph's": w.graph + "/.default", "the connector's": "https://api.botframework.com/.default"} {
		raw := w.token(w.connector("client_secret", bot.Secret, "scope", scope)).json(t)["access_token"].(string)
		if _, _, err := w.server.ConnectorCaller(raw); (err == nil) != (name == "the connector's") {
			t.Errorf("the connector and %s token: %v", name, err)
		}
		r := w.do(w.client, http.MethodGet, w.graph+"/v1.0/users", http.Header{"Authorization": {"Bearer " + raw}}, "")
		if want := map[string]int{"Graph's": http.StatusForbidden, "the connector's": http.StatusUnauthorized}[name]; r.status != want {
			t.Errorf("Graph and %s token: %d", name, r.status)
		}
		w.age(2 * time.Hour)
		if _, _, err := w.server.ConnectorCaller(raw); err == nil {
			t.Error("a token is good for ever")
		}
	}
	if _, _, err := w.server.ConnectorCaller("x.y.z"); err == nil {
		t.Error("nonsense was taken")
	}
}
