package teams_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elevate/adapters/teams"
)

const keysHost = "login.botframework.com"

// withKey is a good token that is signed with another key.
func withKey(id string) string {
	return "Bearer " + sign(object{"alg": "RS256", "kid": id}, claimsNow(nil), otherKey())
}

// fresh is a typed message with an id of its own.
func fresh(n int) object { return typed(object{"id": fmt.Sprint(n)}) }

func TestKeysAreReadOnceForManyActivities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for i := range 20 {
			if w := b.send(fresh(i)); w.Code != http.StatusOK {
				t.Fatalf("answered %d", w.Code)
			}
			synctest.Wait() // nobody has more than four answers on their way
		}
		if n := len(b.net.to(keysHost)); n != 2 {
			t.Errorf("%d calls, want one for the metadata and one for the keys", n)
		}
	})
}

func TestJunkMakesNoCall(t *testing.T) {
	b := newBench(t, nil)
	for _, authorization := range []string{"", "Bearer a.b.c", "Bearer " + none("none"), "Bearer " + hs256([]byte("x")), "Bearer " + header(object{"kid": nil})} {
		b.sendAs(typed(nil), authorization)
	}
	if calls := b.net.calls; len(calls) != 0 {
		t.Errorf("called %v", calls)
	}
}

func TestManyAtOnceReadTheKeysOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.net.on("GET keys", func(call) *answered {
			time.Sleep(time.Second) // all others come meanwhile
			return reply(200, string(asJSON(object{"keys": []any{jwk("k1", theKey(), "msteams")}})))
		})
		b.net.on("GET members", everybody)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if w := b.send(saidBy(fmt.Sprint("person", i), i)); w.Code != http.StatusOK {
					t.Errorf("answered %d", w.Code)
				}
			})
		}
		all.Wait()
		if n := len(b.net.to(keysHost)); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestANewKeyIsLookedForAtOnceAndThenSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.send(fresh(1))
		time.Sleep(time.Hour)
		b.net.publish(jwk("k1", theKey(), "msteams"), jwk("k2", otherKey(), "msteams"))
		if w := b.sendAs(fresh(2), withKey("k2")); w.Code != http.StatusOK {
			t.Errorf("the new key got %d", w.Code)
		}
		before := len(b.net.to(keysHost))
		for i := range 100 {
			if w := b.sendAs(fresh(3), withKey(fmt.Sprint("invented", i))); w.Code != http.StatusUnauthorized {
				t.Errorf("an invented key got %d", w.Code)
			}
			time.Sleep(2 * time.Second)
		}
		if n := len(b.net.to(keysHost)) - before; n > 2 {
			t.Errorf("a hundred invented keys in 200 s made %d calls", n)
		}
		if b.counts.at(teams.UnknownKey) != 100 {
			t.Errorf("counted %v", b.counts.of)
		}
	})
}

func TestOldKeysServeWhileNewOnesCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.send(fresh(1))
		time.Sleep(25 * time.Hour)
		b.net.on("GET openidconfiguration", func(call) *answered { return nil })
		before := len(b.net.to(keysHost))
		for i := range 30 {
			if w := b.send(fresh(10 + i)); w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if n := len(b.net.to(keysHost)) - before; n < 2 || n > 4 {
			t.Errorf("tried %d times in 30 s", n)
		}
		b.net.on("GET openidconfiguration", nil)
		b.net.publish(jwk("k2", otherKey(), "msteams"))
		time.Sleep(10 * time.Second)
		b.send(fresh(50)) // begins the reading
		synctest.Wait()
		if w := b.send(fresh(51)); w.Code != http.StatusUnauthorized {
			t.Errorf("the withdrawn key got %d", w.Code)
		}
		if w := b.sendAs(fresh(52), withKey("k2")); w.Code != http.StatusOK {
			t.Errorf("the new key got %d", w.Code)
		}
	})
}

func TestARolloverThatMetADeadHostIsLookedForAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.send(fresh(1))
		time.Sleep(time.Hour)
		b.net.publish(jwk("k2", otherKey(), "msteams"))
		b.net.on("GET keys", answer(503, ""))
		if w := b.sendAs(fresh(2), withKey("k2")); w.Code != http.StatusUnauthorized {
			t.Errorf("answered %d", w.Code)
		}
		b.net.on("GET keys", nil)
		time.Sleep(10 * time.Second)
		if w := b.sendAs(fresh(3), withKey("k2")); w.Code != http.StatusOK {
			t.Errorf("answered %d", w.Code)
		}
	})
}

func TestWithoutKeysNobodyIsBelieved(t *testing.T) {
	keys := func(k ...any) string { return string(asJSON(object{"keys": k})) }
	elsewhere := func(address string) string { return string(asJSON(object{"jwks_uri": address})) }
	for name, row := range map[string]struct{ path, body string }{
		"metadata is no JSON":     {"GET openidconfiguration", "<html>"},
		"metadata names nothing":  {"GET openidconfiguration", "{}"},
		"keys are elsewhere":      {"GET openidconfiguration", elsewhere("https://evil.example/keys")},
		"keys come by http":       {"GET openidconfiguration", elsewhere("http://login.botframework.com/v1/.well-known/keys")},
		"metadata is too long":    {"GET openidconfiguration", `{"jwks_uri":"` + strings.Repeat("x", 2<<20) + `"}`},
		"keys are no JSON":        {"GET keys", "nope"},
		"there are none":          {"GET keys", keys()},
		"a symmetric key":         {"GET keys", keys(object{"kty": "oct", "kid": "k1", "k": "AAAA", "endorsements": []string{"msteams"}})},
		"a key for encryption":    {"GET keys", keys(change(jwk("k1", theKey(), "msteams"), object{"use": "enc"}))},
		"a key without an id":     {"GET keys", keys(change(jwk("k1", theKey(), "msteams"), object{"kid": nil}))},
		"a key that is too small": {"GET keys", keys(jwk("k1", newKey(1024), "msteams"))},
		"an elliptic key": {"GET keys", keys(object{
			"kty": "EC", "crv": "P-256", "kid": "k1", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
		})},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.net.on(row.path, answer(200, row.body))
			b.silent(t, b.send(typed(nil)), http.StatusServiceUnavailable, teams.NoKeys)
			if n := len(b.net.to("evil.example")); n != 0 {
				t.Errorf("asked elsewhere %d times", n)
			}
		})
	}
}

func TestAKeyThatCannotBeReadLeavesTheOthers(t *testing.T) {
	b := newBench(t, nil)
	b.net.publish("nonsense", object{"kty": "OKP", "crv": "Ed448", "kid": "x"}, jwk("k1", theKey(), "msteams"))
	if w := b.send(typed(nil)); w.Code != http.StatusOK {
		t.Errorf("answered %d, counted %v", w.Code, b.counts.of)
	}
}

func TestARedirectOfTheMetadataIsNotFollowed(t *testing.T) {
	b := newBench(t, nil)
	b.net.on("GET openidconfiguration", func(call) *answered {
		resp := reply(302, "")
		resp.header.Set("Location", "https://evil.example/openid")
		return resp
	})
	b.silent(t, b.send(typed(nil)), http.StatusServiceUnavailable, teams.NoKeys)
	if n := len(b.net.to("evil.example")); n != 0 {
		t.Errorf("followed %d times", n)
	}
}

func TestAMetadataHostThatHangsHoldsNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.net.on("GET openidconfiguration", func(call) *answered {
			time.Sleep(time.Minute)
			return nil
		})
		begin := machineTime()
		b.silent(t, b.send(typed(nil)), http.StatusServiceUnavailable, teams.NoKeys)
		if took := machineTime().Sub(begin); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		time.Sleep(time.Minute) // the fake answers at last
	})
}
