package sim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elevate/internal/sim"
	"elevate/internal/sim/cast"
)

// loginCall posts a form to the sandbox's sign-in service.
func loginCall(t *testing.T, s *sim.Sandbox, path string, form url.Values) map[string]any {
	t.Helper()
	address := s.LoginURL + "/" + s.Settings().Entra.TenantID + "/oauth2/v2.0/" + path
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client(5 * time.Second).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADeviceCodeIsEntered(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{Cast: cast.Empty()})
	for _, row := range []struct {
		who, more, page, poll string
	}{
		{"alice", "", "AADSTS90094", "consent_required"},
		{"ada", "decline", "You may close this window", "authorization_declined"},
		{"ada", "", "You may close this window", ""},
		{"alice", "", "You may close this window", ""}, // ada has consented for everybody
	} {
		started := loginCall(t, s, "devicecode", url.Values{"client_id": {cast.GraphCLIClientID}, "scope": {s.GraphURL + "/Group.ReadWrite.All"}})
		words := append([]string{row.who, "web", "device", started["user_code"].(string)}, strings.Fields(row.more)...)
		contains(t, act(t, s, words...).Text, row.page)
		polled := loginCall(t, s, "token", url.Values{
			"grant_type": {"device_code"}, "client_id": {cast.GraphCLIClientID}, "device_code": {started["device_code"].(string)},
		})
		if kind, _ := polled["error"].(string); kind != row.poll {
			t.Errorf("%s %s: %v", row.who, row.more, polled)
		}
	}
	if _, err := s.Do(t.Context(), []string{"ada", "web", "device"}); err == nil {
		t.Error("no code was taken")
	}
	contains(t, act(t, s, "ada", "web", "device", "NOSUCHONE").Text, "AADSTS70019")
}

func TestAnApplicationIsGrantedWhatItAsksForOnlyIfSaid(t *testing.T) {
	t.Parallel()
	s, _ := startSandbox(t, sim.Config{Cast: cast.Empty()})
	link := s.LoginURL + "/" + s.Settings().Entra.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {cast.GraphCLIClientID}, "response_type": {"code"}, "redirect_uri": {"http://localhost:1"}, "response_mode": {"form_post"},
		"scope": {"openid " + s.GraphURL + "/Group.ReadWrite.All"}, "state": {"x"},
	}.Encode()
	contains(t, act(t, s, "ada", "web", link).Text, "Permissions requested", "Group.ReadWrite.All", "[Consent on behalf of your organization]")
	contains(t, act(t, s, "ada", "web", "press", "Accept", "stop").Text, "# Signed in", "[Continue]")
	contains(t, act(t, s, "greta", "web", link, "consent").Text, "AADSTS90094")
}
