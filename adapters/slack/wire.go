package slack

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"elevate/internal/exchange"
)

// wire stands between slack-go and the network and mends three things of
// slack-go: it takes {"ok":false} without an error, and {}, for success; it
// reads answers of any length; and it reads a 429 without a usable Retry-After
// as an ordinary failure. Until Slack said whose the tokens are it lets nothing
// through but the questions that ask for it: they may be another workspace's.
type wire struct {
	next    http.RoundTripper
	started func() bool
}

// untilStarted are the calls that ask whose the tokens are, and that open Socket
// Mode, which brings only what is checked against that.
var untilStarted = []string{"auth.test", "bots.info", "apps.connections.open"}

// RoundTrip sends a call and returns a complete answer of Slack's, or an exchange.Error.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if !w.started() && !slices.Contains(untilStarted, path.Base(req.URL.Path)) {
		return nil, &exchange.Error{What: "Slack did not say yet whose the bot's token is"}
	}
	resp, err := exchange.Do(w.next, req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		resp.Header.Set("Retry-After", exchange.RetryAfter(resp.Header))
	case http.StatusOK:
		if err := envelope(resp); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// envelope refuses an answer that says neither yes nor why not.
func envelope(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return &exchange.Error{Sent: true, What: "the answer could not be read"}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil || answer.OK == nil:
		return &exchange.Error{Sent: true, What: "the answer is not one of Slack's"}
	case !*answer.OK && strings.TrimSpace(answer.Error) == "":
		return &exchange.Error{What: "Slack refused without saying why"}
	}
	return nil
}
