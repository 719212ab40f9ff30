package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/sim"
	"elevate/internal/sim/simteams"
)

// teamsBot is a little bot: it answers with a sign-in link, posts a card when it is asked to, and rewrites it.
type teamsBot struct {
	t        *testing.T
	settings sim.Settings
	client   *http.Client
	sending  sync.WaitGroup // what it says after its answer
}

func startTeams(t *testing.T) (*sim.Sandbox, *teamsBot) {
	t.Helper()
	s, err := sim.Start(t.Context(), sim.Config{Now: machineNow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &teamsBot{t: t, settings: s.Settings(), client: s.Client(10 * time.Second)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/messages", b.serve)
	mux.HandleFunc("GET /auth/start", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<h1>Sign in</h1>") })
	listenAt(t, b.settings.Listen, mux)
	t.Cleanup(b.sending.Wait) // before the sandbox ends
	return s, b
}

// token asks the sandbox's Entra for a token, as azidentity does.
func (b *teamsBot) token(scope string) string {
	resp, err := b.client.PostForm(b.settings.Entra.Authority+"/"+b.settings.Teams.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {b.settings.Teams.AppID}, "client_secret": {b.settings.Teams.ClientSecret},
		"scope": {scope},
	})
	if err != nil {
		b.t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	var said struct {
		AccessToken string `json:"access_token"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&said)
	return said.AccessToken
}

// connector makes a call and returns its status.
func (b *teamsBot) connector(ctx context.Context, method, address string, body any) int {
	raw, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(raw))
	if err != nil {
		b.t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+b.token("https://api.botframework.com/.default"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

type teamsActivity struct {
	Type         string `json:"type"`
	Text         string `json:"text"`
	ServiceURL   string `json:"serviceUrl"`
	ReplyToID    string `json:"replyToId"`
	Conversation struct {
		ID string `json:"id"`
	} `json:"conversation"`
}

func (b *teamsBot) serve(w http.ResponseWriter, r *http.Request) {
	var a teamsActivity
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	here := a.ServiceURL + "v3/conversations/" + url.PathEscape(a.Conversation.ID) + "/activities"
	switch {
	case a.Type == "invoke":
		b.sending.Go(func() {
			b.connector(ctx, http.MethodPut, here+"/"+url.PathEscape(a.ReplyToID), teamsCard("Denied by Bob"))
		})
		_, _ = io.WriteString(w, `{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"noted"}`)
	case strings.Contains(a.Text, "card"):
		at := b.settings.Teams.ServiceURL + "v3/conversations/" + url.PathEscape(b.settings.Roles[0].AskTeams) + "/activities"
		b.sending.Go(func() {
			b.connector(ctx, http.MethodPost, at, teamsCard("Request", map[string]any{"type": "Action.Execute", "title": "Deny", "verb": "deny"}))
		})
	case a.Type == "message":
		b.sending.Go(func() {
			b.connector(ctx, http.MethodPost, here, map[string]any{"type": "message", "text": fmt.Sprintf("[Sign in](%s/auth/start?l=7)", b.settings.PublicURL)})
		})
	}
}

func teamsCard(text string, actions ...any) map[string]any {
	content := map[string]any{"type": "AdaptiveCard", "version": "1.5", "body": []any{map[string]any{"type": "TextBlock", "text": text}}, "actions": actions}
	return map[string]any{"type": "message", "attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}}}
}

func TestALinkShownInTeamsIsFollowedInTheBrowser(t *testing.T) {
	t.Parallel()
	s, _ := startTeams(t)
	contains(t, act(t, s, "alice", "teams", "/elevate", "mde-admin", "isolating").Text, "— dm\nSign in ("+s.PublicURL+"/auth/start?l=7)")
	contains(t, act(t, s, "alice", "web", "sign-in", "stop").Text, "# Sign in")
	contains(t, act(t, s, "bob", "web", "sign-in", "of", "alice", "stop").Text, "# Sign in")
}

func TestACardInATeamsChannelIsClickedAndTurns(t *testing.T) {
	t.Parallel()
	s, _ := startTeams(t)
	act(t, s, "alice", "teams", "in", "#on-call", "@Elevate", "card")
	contains(t, act(t, s, "bob", "teams", "sees", "#approvals", "until", "Request").Text, "— #approvals\nRequest\n[Deny]")
	contains(t, act(t, s, "bob", "teams", "click", "Deny", "in", "#approvals").Text, "noted")
	contains(t, act(t, s, "carol", "teams", "sees", "#approvals", "until", "Denied").Text, "Denied by Bob")
	contains(t, act(t, s, "alice", "teams", "in", "#on-call", "just", "talking").Text, "not told")
}

func TestTheConnectorTakesOnlyTokensThatAreForIt(t *testing.T) {
	t.Parallel()
	s, b := startTeams(t)
	if app, tenant, err := s.Entra.ConnectorCaller(b.token("https://api.botframework.com/.default openid profile offline_access")); err != nil ||
		app != b.settings.Teams.AppID || tenant != b.settings.Teams.TenantID {
		t.Errorf("%s %s %v", app, tenant, err)
	}
	if _, _, err := s.Entra.ConnectorCaller(b.token("https://graph.microsoft.com/.default")); err == nil {
		t.Error("a token for Graph was taken")
	}
	if got := b.token("https://api.botframework.com/Other"); got != "" {
		t.Error("another scope was granted")
	}
}

func TestActsInTeamsThatAreSeldomDone(t *testing.T) {
	t.Parallel()
	s, _ := startTeams(t)
	act(t, s, "alice", "teams", "say", "hello")
	for how, want := range map[string]int{"missing": 401, "garbage": 401, "replay": 200} {
		if r := act(t, s, "alice", "teams", "forge", how); r.Status != want {
			t.Errorf("%s was answered with %d", how, r.Status)
		}
	}
	for _, kind := range simteams.OddKinds() {
		if r := act(t, s, "alice", "teams", "odd", kind, "in", "#approvals"); r.Status != 200 {
			t.Errorf("%s was answered with %d", kind, r.Status)
		}
	}
	contains(t, act(t, s, "erin", "teams", "install").Text, "") // the bot greets nobody
	contains(t, act(t, s, "erin", "teams", "say", "hello").Text, "Sign in")
	act(t, s, "sam", "teams", "join", "in", "#approvals")
	act(t, s, "sam", "teams", "leave", "in", "#approvals")
	act(t, s, "erin", "teams", "block")
	if _, err := s.Do(t.Context(), []string{"erin", "teams", "say", "hello"}); err == nil {
		t.Error("somebody spoke to a bot that they have blocked")
	}
	act(t, s, "erin", "teams", "unblock")
	act(t, s, "erin", "teams", "again")
	act(t, s, "erin", "teams", "uninstall")
	act(t, s, "dan", "teams", "account", "left")
	act(t, s, "dan", "teams", "client", "old")
	act(t, s, "break", "teams", "send", "ConversationBlockedByUser", "2")
	act(t, s, "break", "teams", "429", "after", "0s")
	act(t, s, "heal")
	act(t, s, "alice", "teams", "forge", "data", "request=ZZ99ZZ")
	contains(t, act(t, s, "teams", "calls").Text, " send 201")
	contains(t, act(t, s, "teams", "findings").Text, "(none)")
	contains(t, act(t, s, "people").Text, "has not added the app in Teams")
	for _, words := range []string{"alice teams dance", "break teams sideways", "alice teams forge x", "alice teams forge none x", "teams owners", "alice teams account x", "robo teams say x"} {
		if _, err := s.Do(t.Context(), strings.Fields(words)); err == nil {
			t.Errorf("%s was understood", words)
		}
	}
}
