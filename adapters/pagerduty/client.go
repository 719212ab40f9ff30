// Package pagerduty reads who is on call now. It refuses everything else: it changes nothing in PagerDuty, decides
// nothing, and who it names is somebody to mention, never somebody who may approve.
package pagerduty

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/PagerDuty/go-pagerduty"

	"elevate/internal/exchange"
	"elevate/internal/pim"
	"elevate/internal/secret"
)

// Within is how long a call may take: what it brings is worth no waiting.
const Within = 3 * time.Second

// most bounds how many people are named, whatever the schedule says.
const most = 5

// Config is what a Client needs.
type Config struct {
	// API is the address of PagerDuty's REST API, without a path.
	API      string
	Token    secret.Text
	Schedule string
	// Transport is the way to the network.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Client reads one schedule.
type Client struct {
	cfg Config
	api *pagerduty.Client
}

// Person is somebody in PagerDuty. Nothing of it is proved: whoever administers PagerDuty writes both.
type Person struct{ Name, Email string }

// New returns a client for a schedule. The library would follow redirects with the token and read answers of any length.
func New(cfg Config) *Client {
	api := pagerduty.NewClient(cfg.Token.Reveal(), pagerduty.WithAPIEndpoint(cfg.API))
	api.HTTPClient = exchange.NewClient(exchange.Whole{Next: cfg.Transport})
	return &Client{cfg: cfg, api: api}
}

// OnCall returns who is on call at this moment: nobody, one, or at a change of shifts two.
func (c *Client) OnCall(ctx context.Context) ([]Person, error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	now := c.cfg.Now().UTC()
	// The schedule itself is asked: /oncalls leaves out one that stands in no escalation policy.
	users, err := c.api.ListOnCallUsersWithContext(ctx, c.cfg.Schedule, pagerduty.ListOnCallUsersOptions{
		Since: now.Format(time.RFC3339), Until: now.Add(time.Second).Format(time.RFC3339),
	})
	if err != nil {
		return nil, explained(err)
	}
	people := []Person{}
	for _, u := range users {
		if name := u.Name; name != "" && len(people) < most {
			people = append(people, Person{Name: name, Email: u.Email})
		}
	}
	return people, nil
}

// Schedule returns the schedule's name; for doctor.
func (c *Client) Schedule(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	found, err := c.api.GetScheduleWithContext(ctx, c.cfg.Schedule, pagerduty.GetScheduleOptions{})
	if err != nil {
		return "", explained(err)
	}
	return found.Name, nil
}

// explained puts an error into words of our own. The library's names the address and repeats PagerDuty's text.
func explained(err error) error {
	refused, answered := errors.AsType[pagerduty.APIError](err)
	switch {
	case !answered:
		return pim.Errorf(pim.Unavailable, "PagerDuty gave no usable answer within %s.", Within)
	case refused.StatusCode == http.StatusUnauthorized, refused.StatusCode == http.StatusForbidden:
		return pim.Errorf(pim.Administered, "PagerDuty refuses the API key.")
	case refused.StatusCode == http.StatusNotFound:
		return pim.Errorf(pim.Administered, "PagerDuty has no schedule with this id, or the API key may not see it.")
	case refused.RateLimited():
		return pim.Errorf(pim.Throttled, "PagerDuty asks for fewer calls.")
	case refused.Temporary():
		return pim.Errorf(pim.Unavailable, "PagerDuty answered with %d.", refused.StatusCode)
	}
	return pim.Errorf(pim.Internal, "PagerDuty answered with %d, which Elevate does not expect.", refused.StatusCode)
}
