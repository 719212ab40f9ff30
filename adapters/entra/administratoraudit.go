package entra

import (
	"context"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/auditlogs"
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
// https://learn.microsoft.com/graph/api/directoryaudit-list
func (a *Administrator) Touched(ctx context.Context, group pim.GroupID, lately time.Duration) ([]Touching, error) {
	now, err := a.client.graphNow(ctx)
	if err != nil {
		return nil, err
	}
	filter := "activityDateTime ge " + now.Add(-lately).UTC().Format("2006-01-02T15:04:05Z") + " and targetResources/any(t:t/id eq " + quoted(group) + ")"
	order, top := []string{"activityDateTime desc"}, int32(100)
	var touched []Touching
	v := a.newView(a.client)
	info, err := auditlogs.NewAuditLogsRequestBuilderInternal(a.client.questions.root(), a.client.questions.adapter).DirectoryAudits().
		ToGetRequestInformation(ctx, &auditlogs.DirectoryAuditsRequestBuilderGetRequestConfiguration{
			QueryParameters: &auditlogs.DirectoryAuditsRequestBuilderGetQueryParameters{Filter: &filter, Orderby: order, Top: &top},
		})
	r, err := a.client.newReading("audit log", info, err)
	if err == nil {
		r.take = func(body []byte) (string, error) {
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
	}
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

// pimApp is PIM's own client id, the same in every tenant.
const pimApp = "01fc33a7-78ba-4d2f-a4b7-768e336e890e"

// byPIM reports whether PIM did it. Rows seen leave its client id out; an application that only has its name says its own.
func byPIM(row models.DirectoryAuditable) bool {
	if row.GetInitiatedBy() == nil || row.GetInitiatedBy().GetApp() == nil {
		return false
	}
	app := row.GetInitiatedBy().GetApp()
	id := str(app.GetAppId())
	return strings.EqualFold(id, pimApp) || (id == "" && str(app.GetDisplayName()) == "MS-PIM")
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
