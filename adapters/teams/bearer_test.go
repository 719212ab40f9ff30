package teams_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elevate/adapters/teams"
)

func at(d time.Duration) int64 { return machineTime().Add(d).Unix() }

// hs256 signs with a secret, as an attacker does who hopes that the public key
// is taken for one.
func hs256(secret []byte) string {
	text := encode(asJSON(object{"alg": "HS256", "kid": "k1"})) + "." + encode(asJSON(claimsNow(nil)))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func none(alg string) string {
	return encode(asJSON(object{"alg": alg, "kid": "k1"})) + "." + encode(asJSON(claimsNow(nil))) + "."
}

func header(with object) string {
	return sign(change(object{"alg": "RS256", "kid": "k1"}, with), claimsNow(nil), theKey())
}

func publicPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&theKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestTokensThatAreRefused(t *testing.T) {
	good := token(nil)
	parts := strings.Split(good, ".")
	for name, row := range map[string]struct {
		authorization string
		reason        string
	}{
		"none at all":                 {"", teams.NoToken},
		"an empty bearer":             {"Bearer ", teams.NoToken},
		"no scheme":                   {good, teams.NoToken},
		"another scheme":              {"Basic " + good, teams.NoToken},
		"two parts":                   {"Bearer a.b", teams.NoToken},
		"encrypted":                   {"Bearer a.b.c.d.e", teams.NoToken},
		"many dots":                   {"Bearer " + strings.Repeat(".", 7000), teams.NoToken},
		"too long":                    {"Bearer " + good + strings.Repeat("A", 8<<10), teams.NoToken},
		"no JSON inside":              {"Bearer AAAA.AAAA.AAAA", teams.BadToken},
		"alg none":                    {"Bearer " + none("none"), teams.BadToken},
		"alg None":                    {"Bearer " + none("None"), teams.BadToken},
		"no alg":                      {"Bearer " + header(object{"alg": nil}), teams.BadToken},
		"RS512 in the header":         {"Bearer " + header(object{"alg": "RS512"}), teams.BadToken},
		"ES256 in the header":         {"Bearer " + header(object{"alg": "ES256"}), teams.BadToken},
		"HS256 with the public key":   {"Bearer " + hs256(publicPEM(t)), teams.BadToken},
		"HS256 with the modulus":      {"Bearer " + hs256(theKey().N.Bytes()), teams.BadToken},
		"no key id":                   {"Bearer " + header(object{"kid": nil}), teams.BadToken},
		"a key id that is no text":    {"Bearer " + header(object{"kid": 7}), teams.BadToken},
		"a critical extension":        {"Bearer " + header(object{"crit": []string{"exp"}, "exp": 1}), teams.BadToken},
		"a key of its own":            {"Bearer " + sign(object{"alg": "RS256", "kid": "k1", "jwk": jwk("k1", otherKey(), "msteams")}, claimsNow(nil), otherKey()), teams.BadToken},
		"another key":                 {"Bearer " + sign(object{"alg": "RS256", "kid": "k1"}, claimsNow(nil), otherKey()), teams.BadToken},
		"a changed claim":             {"Bearer " + parts[0] + "." + encode(asJSON(claimsNow(object{"aud": "another"}))) + "." + parts[2], teams.BadToken},
		"an unknown key":              {"Bearer " + header(object{"kid": "k2"}), teams.UnknownKey},
		"wrong issuer":                {"Bearer " + token(object{"iss": "https://sts.windows.net/" + tenant + "/"}), teams.BadClaims},
		"the government's issuer":     {"Bearer " + token(object{"iss": "https://api.botframework.us"}), teams.BadClaims},
		"no issuer":                   {"Bearer " + token(object{"iss": nil}), teams.BadClaims},
		"wrong audience":              {"Bearer " + token(object{"aud": "99999999-1111-4111-8111-111111111111"}), teams.BadClaims},
		"audiences without us":        {"Bearer " + token(object{"aud": []string{"a", "b"}}), teams.BadClaims},
		"no audience":                 {"Bearer " + token(object{"aud": nil}), teams.BadClaims},
		"no end":                      {"Bearer " + token(object{"exp": nil}), teams.BadClaims},
		"no service":                  {"Bearer " + token(object{"serviceurl": nil}), teams.BadClaims},
		"a service that is no text":   {"Bearer " + token(object{"serviceurl": 1}), teams.BadToken},
		"an issuer that is no text":   {"Bearer " + token(object{"iss": []int{1}}), teams.BadToken},
		"an end that is no number":    {"Bearer " + token(object{"exp": "tomorrow"}), teams.BadToken},
		"expired":                     {"Bearer " + token(object{"exp": at(-5*time.Minute - 2*time.Second)}), teams.NotNow},
		"not yet valid":               {"Bearer " + token(object{"nbf": at(5*time.Minute + 5*time.Second)}), teams.NotNow},
		"made in the future":          {"Bearer " + token(object{"iat": at(5*time.Minute + 5*time.Second)}), teams.NotNow},
		"a service that is another":   {"Bearer " + token(object{"serviceurl": "https://smba.infra.gcc.teams.microsoft.com/teams/"}), teams.ForeignService},
		"a service with a longer end": {"Bearer " + token(object{"serviceurl": service + "x"}), teams.ForeignService},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			status := http.StatusUnauthorized
			if row.reason == teams.ForeignService {
				status = http.StatusForbidden
			}
			b.silent(t, b.sendAs(typed(nil), row.authorization), status, row.reason)
		})
	}
}

func TestTokensThatAreTaken(t *testing.T) {
	for name, authorization := range map[string]string{
		"as Teams sends it":            "Bearer " + token(nil),
		"the scheme in small letters":  "bearer " + token(nil),
		"just over":                    "Bearer " + token(object{"exp": at(-4 * time.Minute)}),
		"in a moment":                  "Bearer " + token(object{"nbf": at(4 * time.Minute), "iat": at(4 * time.Minute)}),
		"without a beginning":          "Bearer " + token(object{"nbf": nil, "iat": nil}),
		"for us among others":          "Bearer " + token(object{"aud": []string{"another", appID}}),
		"the service without a slash":  "Bearer " + token(object{"serviceurl": strings.TrimSuffix(service, "/")}),
		"the service in other letters": "Bearer " + token(object{"serviceurl": strings.ToUpper(service)}),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if w := b.sendAs(typed(nil), authorization); w.Code != http.StatusOK || b.service.told() != 1 {
				t.Errorf("answered %d, told %d times, counted %v", w.Code, b.service.told(), b.counts.of)
			}
		})
	}
}

func TestActivitiesThatTheirTokenIsNotFor(t *testing.T) {
	elsewhere := func(address string) object { return object{"serviceUrl": address} }
	for name, row := range map[string]struct {
		activity object
		claims   object
		reason   string
	}{
		"another service":             {elsewhere("https://smba.trafficmanager.net/emea/"), nil, teams.ForeignService},
		"no service":                  {object{"serviceUrl": nil}, nil, teams.ForeignService},
		"a service of nobody we know": {elsewhere("https://evil.example/"), object{"serviceurl": "https://evil.example/"}, teams.ForeignService},
		"http":                        {elsewhere("http://smba.trafficmanager.net/teams/"), object{"serviceurl": "http://smba.trafficmanager.net/teams/"}, teams.ForeignService},
		"another port":                {elsewhere("https://smba.trafficmanager.net:8443/"), object{"serviceurl": "https://smba.trafficmanager.net:8443/"}, teams.ForeignService},
		"a name in front of the host": {elsewhere("https://smba.trafficmanager.net@evil.example/"), object{"serviceurl": "https://smba.trafficmanager.net@evil.example/"}, teams.ForeignService},
		"a user before the host":      {elsewhere("https://a@smba.trafficmanager.net/"), object{"serviceurl": "https://a@smba.trafficmanager.net/"}, teams.ForeignService},
		"this machine":                {elsewhere("http://127.0.0.1/"), object{"serviceurl": "http://127.0.0.1/"}, teams.ForeignService},
		"a query":                     {elsewhere(service + "?a=b"), object{"serviceurl": service + "?a=b"}, teams.ForeignService},
		"another channel":             {object{"channelId": "emulator"}, nil, teams.ForeignChannel},
		"an endorsed other channel":   {object{"channelId": "webchat"}, nil, teams.ForeignChannel},
		"no channel":                  {object{"channelId": nil}, nil, teams.ForeignChannel},
		"another tenant":              {object{"conversation": object{"id": personal, "tenantId": "t2"}, "channelData": object{"tenant": object{"id": "t2"}}}, nil, teams.ForeignTenant},
		"two tenants":                 {object{"channelData": object{"tenant": object{"id": "t2"}}}, nil, teams.ForeignTenant},
		"no tenant":                   {object{"conversation": object{"id": personal}, "channelData": nil}, nil, teams.ForeignTenant},
		"a second tenant in capitals": {object{"conversation": object{"id": personal}, "channelData": json.RawMessage(`{"tenant":{"id":"` + tenant + `"},"Tenant":{"id":"t2"}}`)}, nil, teams.ForeignTenant},
		"for another bot":             {object{"recipient": object{"id": "28:another"}}, nil, teams.ForeignBot},
		"from a bot":                  {object{"from": object{"id": "28:another", "aadObjectId": alice}}, nil, teams.ForeignBot},
		"from ourselves":              {object{"from": object{"id": bot, "aadObjectId": alice}}, nil, teams.ForeignBot},
	} {
		t.Run(name, func(t *testing.T) {
			for _, make := range []func(object) object{typed, clicked} {
				b := newBench(t, nil)
				activity := change(make(nil), row.activity)
				b.silent(t, b.sendAs(activity, "Bearer "+token(row.claims)), http.StatusForbidden, row.reason)
			}
		})
	}
}

func TestTheKeyMustBeEndorsedForTeams(t *testing.T) {
	for name, channels := range map[string][]string{"not at all": nil, "for others": {"webchat", "MSTEAMS"}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.net.publish(jwk("k1", theKey(), channels...))
			b.silent(t, b.send(typed(nil)), http.StatusForbidden, teams.ForeignChannel)
		})
	}
}

func TestTheTenantMayStandInEitherPlace(t *testing.T) {
	for name, with := range map[string]object{
		"in the conversation": {"channelData": nil},
		"in channelData":      {"conversation": object{"id": personal, "conversationType": "personal"}},
		"in other letters":    {"channelData": object{"tenant": object{"id": strings.ToUpper(tenant)}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if w := b.send(typed(with)); w.Code != http.StatusOK || b.service.told() != 1 {
				t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
			}
			for _, from := range b.service.senders {
				if from.Account != aliceAccount {
					t.Errorf("said by %v", from.Account)
				}
			}
		})
	}
}

func TestTwoAuthorizationHeadersAreNone(t *testing.T) {
	b := newBench(t, nil)
	r := httptest.NewRequest(http.MethodPost, "/api/messages", strings.NewReader(string(asJSON(typed(nil)))))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Add("Authorization", "Bearer "+token(nil))
	r.Header.Add("Authorization", "Bearer "+none("none"))
	b.silent(t, b.serve(r), http.StatusUnauthorized, teams.NoToken)
}

func TestABotWithoutAnAppIDIsNotMade(t *testing.T) {
	for name, edit := range map[string]func(*teams.Config){
		"app":               func(c *teams.Config) { c.AppID = "" },
		"tenant":            func(c *teams.Config) { c.TenantID = "" },
		"credential":        func(c *teams.Config) { c.Credential = nil },
		"codes":             func(c *teams.Config) { c.Codes = nil },
		"metadata":          func(c *teams.Config) { c.Metadata = "" },
		"metadata by http":  func(c *teams.Config) { c.Metadata = "http://login.botframework.com/" },
		"foreign metadata":  func(c *teams.Config) { c.Metadata = "https://evil.example/openid" },
		"public in sandbox": func(c *teams.Config) { c.Sandbox = true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(&bench{credential: &credential{}, refs: &references{}, net: newNetwork()})
			edit(&cfg)
			if _, err := teams.NewClient(cfg); err == nil {
				t.Error("a client was made")
			}
		})
	}
}

func TestTheGovernmentsCloudHasItsOwnIssuer(t *testing.T) {
	gov := "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"
	b := newBench(t, func(c *teams.Config) { c.Metadata = gov })
	b.net.on("GET openidconfiguration", answer(200, string(asJSON(object{"jwks_uri": "https://login.botframework.azure.us/keys"}))))
	b.net.on("GET keys", answer(200, string(asJSON(object{"keys": []any{jwk("k1", theKey(), "msteams")}}))))
	if w := b.send(typed(nil)); w.Code != http.StatusUnauthorized || b.counts.at(teams.BadClaims) != 1 {
		t.Errorf("the public issuer got %d", w.Code)
	}
	if w := b.sendAs(typed(nil), "Bearer "+token(object{"iss": "https://api.botframework.us"})); w.Code != http.StatusOK {
		t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
	}
	b.handler.Close()
	if _, err := b.client.Post(t.Context(), general, hello); err != nil || b.credential.scopes[0] != "https://api.botframework.us/.default" {
		t.Errorf("asked for %v: %v", b.credential.scopes, err)
	}
}
