package entra

import (
	"context"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// Touching is a change of a group, as Entra's audit log has it.
type Touching struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Activity string    `json:"activity"`
	About    string    `json:"about,omitempty"` // who or what else it was about
}

// mostTouchings is how many changes of a group are told.
const mostTouchings = 5

// Touched reads who changed a group lately, newest first. Activations and what PIM does for them are left out: they are
// what the group is for.
func (a *Administrator) Touched(ctx context.Context, group pim.GroupID, lately time.Duration) ([]Touching, error) {
	now, err := a.client.graphNow(ctx)
	if err != nil {
		return nil, err
	}
	var touched []Touching
	page := func(body []byte) (string, error) {
		next, err := takePage(a.client, body, models.CreateDirectoryAuditCollectionResponseFromDiscriminatorValue, func(row models.DirectoryAuditable) error {
			activity := str(row.GetActivityDisplayName())
			if by := initiator(row); len(touched) < mostTouchings && !byPIM(row) && !strings.Contains(activity, "PIM activation") && !strings.Contains(activity, "PIM deactivate") {
				touched = append(touched, Touching{At: at(row.GetActivityDateTime()), By: by, Activity: activity, About: otherTarget(row, group)})
			}
			return nil
		})
		if len(touched) == mostTouchings {
			next = "" // the log is read sparingly: Entra lets nobody ask it much
		}
		return next, err
	}
	v := a.newView(a.client)
	r, err := a.client.auditReading(ctx, group, now.Add(-lately), "activityDateTime desc", 100, page)
	v.put(r, err)
	if v.err != nil {
		return nil, v.err
	}
	if err := v.run(ctx); err != nil {
		return nil, a.auditError(err)
	}
	if len(v.failed) > 0 {
		return nil, a.auditError(v.failed[0])
	}
	return touched, nil
}

// auditError says that it is the audit log that was not read.
func (a *Administrator) auditError(err error) error {
	if e := pim.Explain(err); e.Kind == pim.Throttled || e.Kind == pim.Unavailable {
		return &pim.Error{Kind: e.Kind, RetryAfter: e.RetryAfter, Message: "The audit log is asked too much or does not answer."}
	}
	return a.readError(err)
}

// initiator is who did it: a person by name, or an application.
func initiator(row models.DirectoryAuditable) string {
	by := row.GetInitiatedBy()
	switch {
	case by == nil:
	case by.GetUser() != nil:
		name, upn := str(by.GetUser().GetDisplayName()), str(by.GetUser().GetUserPrincipalName())
		switch {
		case name != "" && upn != "":
			return name + " (" + upn + ")"
		case name+upn != "":
			return name + upn
		}
		return str(by.GetUser().GetId())
	case by.GetApp() != nil:
		return str(by.GetApp().GetDisplayName())
	}
	return "somebody unknown"
}

func otherTarget(row models.DirectoryAuditable, group pim.GroupID) string {
	for _, target := range row.GetTargetResources() {
		if target != nil && pim.NewGroupID(str(target.GetId())) != group && str(target.GetDisplayName()) != "" {
			return str(target.GetDisplayName())
		}
	}
	return ""
}
