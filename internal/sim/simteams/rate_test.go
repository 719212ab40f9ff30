package simteams_test

import (
	"net/http"
	"testing"
	"time"

	"elevate/internal/sim/simteams"
)

func TestAConversationTakesOnlySoManyMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm, other := w.dm(t, "alice"), w.dm(t, "bob")
	for range 7 {
		w.posts(t, dm, plain("x"))
	}
	a := w.calls(t, http.MethodPost, activities(dm), plain("x"))
	if a.status != http.StatusTooManyRequests || a.code() != "Throttled" || a.header.Get("Retry-After") != "1" {
		t.Fatalf("%d %v %v", a.status, a.body, a.header)
	}
	w.posts(t, other, plain("another conversation"))
	w.pass(time.Second)
	w.posts(t, dm, plain("x"))
	if a := w.calls(t, http.MethodPost, activities(dm), plain("x")); a.status != http.StatusTooManyRequests {
		t.Errorf("a ninth message within two seconds: %d", a.status)
	}
	for range 13 {
		w.pass(2 * time.Second)
		for range 4 {
			w.posts(t, dm, plain("x"))
		}
	}
	if a := w.calls(t, http.MethodPost, activities(dm), plain("x")); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "3" {
		t.Errorf("a 61st message within thirty seconds: %d %v", a.status, a.header)
	}
}

func TestReadingIsCountedApartAndTheTenantAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "conversations/" + simteams.ChannelID(simteams.Approvals) + "/pagedmembers"
	for i := range 15 {
		if a := w.calls(t, http.MethodGet, path, nil); (a.status == http.StatusTooManyRequests) != (i == 14) {
			t.Errorf("read %d: %d", i, a.status)
		}
	}
	for _, person := range []string{"alice", "bob", "carol", "dan", "frank", "lena"} {
		for range 6 {
			w.calls(t, http.MethodPost, activities(w.dm(t, person)), plain("x"))
		}
	}
	if a := w.calls(t, http.MethodPost, activities(w.dm(t, "ada")), plain("x")); a.status != http.StatusTooManyRequests {
		t.Errorf("the 51st call of the tenant's within a second: %d", a.status)
	}
}

func TestFaultsStrikeAsTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm := w.dm(t, "alice")
	for _, row := range []struct {
		fault  simteams.Fault
		status int
		code   string
		retry  string
	}{
		{simteams.Fault{Kind: simteams.RateLimited, RetryAfter: 3 * time.Second, Times: 1}, 429, "Throttled", "3"},
		{simteams.Fault{Kind: simteams.RateLimited, Times: 1}, 429, "Throttled", ""},
		{simteams.Fault{Kind: simteams.ServerError, Times: 1}, 502, "", ""},
		{simteams.Fault{Kind: simteams.NoError, Times: 1}, 500, "", ""},
		{simteams.Fault{Kind: simteams.Denied, Times: 1}, 401, "", ""},
		{simteams.Fault{Kind: "403", Times: 1}, 403, "BotNotInConversationRoster", ""},
		{simteams.Fault{Kind: "413", Times: 1}, 413, "MessageSizeTooBig", ""},
		{simteams.Fault{Kind: "BotDisabledByAdmin", Times: 1}, 403, "BotDisabledByAdmin", ""},
	} {
		w.pass(time.Second)
		w.Break("send", row.fault)
		a := w.calls(t, http.MethodPost, activities(dm), plain("x"))
		if a.status != row.status || a.code() != row.code || a.header.Get("Retry-After") != row.retry {
			t.Errorf("%s: %d %v %v", row.fault.Kind, a.status, a.body, a.header)
		}
		w.posts(t, dm, plain("x"))
	}
	if simteams.KnownFault("nonsense") {
		t.Error("nonsense is a fault")
	}
}

func TestAResetCallWasCarriedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dm := w.dm(t, "alice")
	w.Break("", simteams.Fault{Kind: simteams.Reset})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.ServiceURL()+"v3/"+activities(dm), jsonBody(`{"type":"message","text":"arrived"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+connectorToken)
	req.Header.Set("Content-Type", "application/json")
	if resp, err := w.client.Do(req); err == nil {
		resp.Body.Close()
		t.Error("the call was answered")
	}
	w.Heal()
	contains(t, w.sees(t, "alice"), "arrived")
}
