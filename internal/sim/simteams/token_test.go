package simteams_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/simteams"
)

// published reads the keys as a bot does: by way of the metadata.
func (w *world) published(t *testing.T) map[string]publishedKey {
	t.Helper()
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	w.reads(t, w.MetadataURL(), &metadata)
	if metadata.Issuer != "https://api.botframework.com" {
		t.Errorf("issuer %q", metadata.Issuer)
	}
	var set struct{ Keys []publishedKey }
	w.reads(t, metadata.JWKSURI, &set)
	keys := map[string]publishedKey{}
	for _, k := range set.Keys {
		keys[k.Kid] = k
	}
	return keys
}

type publishedKey struct {
	Kid, N, E    string
	Endorsements []string
}

func (k publishedKey) public(t *testing.T) *rsa.PublicKey {
	t.Helper()
	n, err1 := base64.RawURLEncoding.DecodeString(k.N)
	e, err2 := base64.RawURLEncoding.DecodeString(k.E)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
}

func (w *world) reads(t *testing.T, address string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// judged is what a careful bot makes of a token that came with an activity.
func (w *world) judged(t *testing.T, keys map[string]publishedKey, r received) error {
	t.Helper()
	scheme, raw, _ := strings.Cut(r.header.Get("Authorization"), " ")
	if scheme != "Bearer" {
		return errors.New("no bearer token")
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("https://api.botframework.com"), jwt.WithAudience(w.App().ID),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(w.now), jwt.WithLeeway(5*time.Minute))
	_, err := parser.ParseWithClaims(raw, claims, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		k, known := keys[kid]
		if !known {
			return nil, errors.New("unknown key")
		}
		channel, _ := r.activity["channelId"].(string)
		if !slices.Contains(k.Endorsements, channel) {
			return nil, errors.New("not endorsed")
		}
		return k.public(t), nil
	})
	if err != nil {
		return err
	}
	if claims["serviceurl"] != r.activity["serviceUrl"] {
		return errors.New("another service")
	}
	return nil
}

func TestActivitiesAreSignedAsTheConnectorSignsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if told, err := w.Say(t.Context(), "alice", "dm", "roles"); err != nil || !told {
		t.Fatal(told, err)
	}
	if err := w.judged(t, w.published(t), w.last(t)); err != nil {
		t.Error(err)
	}
}

func TestEachForgeryIsOneThatACarefulBotRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Say(t.Context(), "alice", "dm", "roles"); err != nil {
		t.Fatal(err)
	}
	keys := w.published(t)
	for name, f := range map[string]simteams.Forgery{
		"signed by nobody":           {Alg: "none"},
		"HS256 with the public key":  {Alg: "HS256"},
		"changed after signing":      {Tampered: true},
		"a key nobody published":     {Key: "unknown"},
		"a key of other channels":    {Key: "foreign"},
		"another issuer":             {Issuer: "https://sts.windows.net/x/"},
		"another audience":           {Audience: "somebody"},
		"another service":            {Service: "https://evil.example/"},
		"no service":                 {NoService: true},
		"over long ago":              {Age: 2 * time.Hour},
		"not begun":                  {Age: -time.Hour},
		"without an end":             {NoExpiry: true},
		"no token":                   {NoToken: true},
		"another scheme":             {Scheme: "Basic"},
		"another channel's activity": {Channel: "email"},
	} {
		if _, err := w.Forge(t.Context(), "alice", f); err != nil {
			t.Fatal(err)
		}
		if err := w.judged(t, keys, w.last(t)); err == nil {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
	if _, err := w.Forge(t.Context(), "alice", simteams.Forgery{Audience: []string{"x", w.App().ID}}); err != nil {
		t.Fatal(err)
	}
	if err := w.judged(t, keys, w.last(t)); err != nil {
		t.Errorf("a list of audiences: %v", err)
	}
}

func TestANewKeySignsAndTheOldOneIsRetired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.published(t)
	if err := w.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Say(t.Context(), "alice", "dm", "roles"); err != nil {
		t.Fatal(err)
	}
	if err := w.judged(t, before, w.last(t)); err == nil {
		t.Error("the old keys verify the new one's token")
	}
	now := w.published(t)
	if err := w.judged(t, now, w.last(t)); err != nil {
		t.Error(err)
	}
	w.RetireKeys()
	if n := len(w.published(t)); n != len(now)-1 {
		t.Errorf("%d keys are published after one of %d was retired", n, len(now))
	}
}

func TestForgedActivitiesNameSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Say(t.Context(), "alice", "dm", "roles"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Forge(t.Context(), "alice", simteams.Forgery{Tenant: "t2", Bot: "b2"}); err != nil {
		t.Fatal(err)
	}
	contains(t, string(w.last(t).body), `"tenantId":"t2"`, `"tenant":{"id":"t2"}`, `"id":"28:b2"`)
	if _, err := w.Forge(t.Context(), "alice", simteams.Forgery{}); err != nil {
		t.Fatal(err)
	}
	lacks(t, string(w.last(t).body), "t2", "b2")
}
