//go:build !race

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/sim"
	"elevate/internal/sim/simteams"
)

const playgroundFolder = "testdata/playground"

// playground is Microsoft's own client beside our bot: for each person one
// instance of the Agents Playground and a page of a browser that shows it. Each
// instance is a Teams of its own, and all of them reach the bot through one
// connector, as the conversations of a real Teams do.
type playground struct {
	*world
	connector *signingConnector
	driver    *line
}

// startPlayground starts a sandbox, our bot with all its checks, the connector
// and a browser.
func startPlayground(t *testing.T) *playground {
	t.Helper()
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("drives Microsoft's Agents Playground; set ELEVATE_NPM=1, with node, npm and chromium installed, to run it")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	installPlayground(t)
	var log strings.Builder
	nothing := func(string) (string, bool) { return "", false }
	s, err := startStage(t.Context(), t.TempDir(), nothing, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.box.Clock.SetRate(5) // a sign-in link lives for two minutes then
	p := &playground{world: &world{stage: s, t: t}, connector: newSigningConnector(t, s.box)}
	t.Cleanup(func() {
		p.connector.Close() // the bot would wait for what is under way through it
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	p.driver = startLine(t, exec.Command("node", "drive.mjs", browser))
	return p
}

// installPlayground makes sure that what the test drives is installed. It looks at
// the files that Go does not know the test to depend on.
func installPlayground(t *testing.T) {
	t.Helper()
	for _, name := range []string{"package-lock.json", "drive.mjs", "tether.cjs"} {
		if _, err := os.Stat(filepath.Join(playgroundFolder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(playgroundFolder, "node_modules")); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = playgroundFolder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// line is a child process that is spoken to line by line. It ends with its input,
// also when the test does not end as it should.
type line struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

func startLine(t *testing.T, cmd *exec.Cmd) *line {
	t.Helper()
	if cmd.Dir == "" {
		cmd.Dir = playgroundFolder
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &line{in: in, out: bufio.NewScanner(out)}
	l.out.Buffer(nil, 8<<20)
	t.Cleanup(func() {
		late := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = in.Close() // a process that has gone is told nothing
		for l.out.Scan() {
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", cmd.Path, err, complaints.String())
		}
	})
	return l
}

// next is the next line the process says.
func (l *line) next() (string, error) {
	if !l.out.Scan() {
		return "", errors.Join(io.ErrUnexpectedEOF, l.out.Err())
	}
	return l.out.Text(), nil
}

// signingConnector stands between the Playground and our bot, as the Bot
// Framework does between Teams and bots. To the bot it says what the Playground
// says, with a token on it, which the Playground has none of; from the bot it
// passes on what has the bot's token on it, which the Playground never looks at.
// It changes nothing of what they say.
type signingConnector struct {
	*httptest.Server
	box    *sim.Sandbox
	client *http.Client // reaches the bot

	mu        sync.Mutex
	instances map[string]*url.URL // by the person whose they are
	refused   []string            // what either side did not take
	last      []byte              // the last activity
}

func newSigningConnector(t *testing.T, box *sim.Sandbox) *signingConnector {
	t.Helper()
	c := &signingConnector{box: box, client: box.Client(20 * time.Second), instances: map[string]*url.URL{}}
	mux := http.NewServeMux()
	mux.HandleFunc("HEAD /{person}/messages", func(http.ResponseWriter, *http.Request) {}) // whether anybody is there
	mux.HandleFunc("POST /{person}/messages", c.toBot)
	mux.HandleFunc("/{person}/v3/", c.fromBot)
	c.Server = httptest.NewServer(mux)
	return c
}

// messages is where a person's Playground reaches the bot, and service where the
// bot reaches that Playground.
func (c *signingConnector) messages(person string) string { return c.URL + "/" + person + "/messages" }
func (c *signingConnector) service(person string) string  { return c.URL + "/" + person }

// toBot delivers an activity, signed for the service that it names.
func (c *signingConnector) toBot(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := c.deliver(r.Context(), body, simteams.Forgery{})
	if err != nil {
		c.note("to the bot: %v", err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.note("to the bot: status %d for %s", resp.StatusCode, body)
	}
	c.mu.Lock()
	c.last = body
	c.mu.Unlock()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // the Playground may have gone
}

// deliver posts an activity to the bot as the Bot Framework does, or forged.
func (c *signingConnector) deliver(ctx context.Context, body []byte, f simteams.Forgery) (*http.Response, error) {
	var activity struct{ ServiceURL string }
	if err := json.Unmarshal(body, &activity); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.box.PublicURL+"/api/messages", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if !f.NoToken {
		token, err := c.box.Teams.Token(activity.ServiceURL, f)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.client.Do(req)
}

// fromBot passes on what the bot sends to a person's Playground.
func (c *signingConnector) fromBot(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	app, _, err := c.box.Entra.ConnectorCaller(token)
	if err != nil || app != c.box.Settings().Teams.AppID {
		c.note("from the bot: the token is not its own (%v)", err)
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	person := r.PathValue("person")
	c.mu.Lock()
	to := c.instances[person]
	c.mu.Unlock()
	if to == nil {
		c.note("from the bot: %s has no Playground", person)
		http.NotFound(w, r)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL.Path = strings.TrimPrefix(pr.In.URL.Path, "/"+person)
			pr.Out.URL.RawPath = strings.TrimPrefix(pr.In.URL.EscapedPath(), "/"+person)
			pr.SetURL(to)
		},
		ModifyResponse: func(resp *http.Response) error {
			if resp.StatusCode/100 == 2 {
				return nil
			}
			why, err := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(why))
			c.note("from the bot: status %d for %s %s: %s", resp.StatusCode, r.Method, r.URL.Path, why)
			return err
		},
	}
	proxy.ServeHTTP(w, r)
}

func (c *signingConnector) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, fmt.Sprintf(format, args...))
}

// refusals are what either side did not take.
func (c *signingConnector) refusals() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.refused)
}

// lastSaid is the last activity.
func (c *signingConnector) lastSaid() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// somebody is a person at their Playground.
type somebody struct {
	*playground
	name string
}

// meets starts a person's Playground, with one channel of the team in it.
func (p *playground) meets(name, channel string) somebody {
	p.t.Helper()
	home := p.t.TempDir()
	context, err := p.contextFile(name, channel)
	if err == nil {
		err = os.WriteFile(filepath.Join(home, ".m365agentsplayground.yml"), context, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	folder, err := filepath.Abs(playgroundFolder)
	if err != nil {
		p.t.Fatal(err)
	}
	// A taken port makes it choose one by itself, which it says; its own is taken by the first.
	cmd := exec.Command("node", "--require", filepath.Join(folder, "tether.cjs"),
		filepath.Join(folder, "node_modules/@microsoft/m365agentsplayground/cli.js"), "start",
		"--app-endpoint", p.connector.messages(name), "--service-url", p.connector.service(name), "--channel-id", "msteams", "--disable-telemetry")
	cmd.Dir = home
	// Its other settings come from the environment, and it opens a browser by itself.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "BROWSER=none"}
	said, err := startLine(p.t, cmd).next()
	port, ok := strings.CutPrefix(said, "Listening on ")
	if err != nil || !ok {
		p.t.Fatalf("the Playground of %s said %q, %v", name, said, err)
	}
	at := url.URL{Scheme: "http", Host: "127.0.0.1:" + port, Path: "/"}
	p.connector.mu.Lock()
	p.connector.instances[name] = at.JoinPath("_connector")
	p.connector.mu.Unlock()
	who := somebody{playground: p, name: name}
	who.drive("start", at.String())
	return who
}

// contextFile says who and what is in a Playground, all of it from the sandbox.
// It is JSON, which is YAML, too. There are five people besides the one whose it
// is: it takes no other number.
func (p *playground) contextFile(name, channel string) ([]byte, error) {
	type object = map[string]any
	set := p.box.Settings().Teams
	team := simteams.ModelTeam()
	var me object
	var others []object
	for _, key := range []string{"alice", "bob", "carol", "dan", "erin", "frank"} {
		person, err := p.box.Teams.Person(key)
		if err != nil {
			return nil, err
		}
		mri, err := p.box.Teams.MRI(key)
		if err != nil {
			return nil, err
		}
		given, surname, _ := strings.Cut(person.Name, " ")
		as := object{
			"id": mri, "name": person.Name, "userPrincipleName": person.UPN, "aadObjectId": person.ObjectID,
			"givenName": given, "surname": surname, "email": person.UPN,
		}
		if key == name {
			me = as
			continue
		}
		others = append(others, as)
	}
	return json.Marshal(object{
		"version": "0.1.0", "tenantId": set.TenantID, "bot": object{"id": "28:" + set.AppID, "name": "Elevate"}, "currentUser": me, "users": others,
		"personalChat": object{"id": "a:1" + name}, "groupChat": object{"id": simteams.ChatID(simteams.Incident), "name": simteams.Incident},
		"team": object{
			"id": team.ID, "name": team.Name, "aadGroupId": team.GroupID,
			"channels": []object{{"id": simteams.ChannelID(channel), "name": channel}},
		},
	})
}

// drive has the browser do something on the person's page.
func (s somebody) drive(do string, with ...string) string {
	s.t.Helper()
	value, err := s.order(do, with...)
	if err != nil {
		shown, _ := s.order("text")
		_, _ = s.order("shot", s.picture("failed"))
		s.t.Fatalf("%s: %s %q: %v\nWhat is shown:\n%s", s.name, do, with, err, shown)
	}
	return value
}

func (s somebody) order(do string, with ...string) (string, error) {
	order, err := json.Marshal(map[string]any{"page": s.name, "do": do, "with": append([]string{}, with...)})
	if err != nil {
		return "", err
	}
	if _, err := s.driver.in.Write(append(order, '\n')); err != nil {
		return "", err
	}
	said, err := s.driver.next()
	if err != nil {
		return "", err
	}
	var answer struct{ Value, Error string }
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		return "", err
	}
	if answer.Error != "" {
		return "", errors.New(answer.Error)
	}
	return answer.Value, nil
}

// picture is where a picture of what the person sees is kept.
func (s somebody) picture(name string) string {
	dir := os.Getenv("ELEVATE_SCREENSHOTS")
	if dir == "" {
		dir = s.t.ArtifactDir()
	}
	return filepath.Join(dir, s.name+"-"+name+".png")
}

// noted waits until the bot knows how to write there.
func (p *playground) noted(key string) {
	p.t.Helper()
	p.until(func() bool {
		_, found, err := references{p.bot.db}.Reference(p.t.Context(), key)
		return err == nil && found
	}, "the bot was not told of "+key)
}

// person is who they are in the tenant.
func (s somebody) person() simteams.Person {
	s.t.Helper()
	person, err := s.box.Teams.Person(s.name)
	if err != nil {
		s.t.Fatal(err)
	}
	return person
}
