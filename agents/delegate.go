package agents

import "context"

// A delegated task is what an agent is asked as a tool.
type delegated struct {
	Task string `json:"task" schema:"maxLength=4000" jsonschema:"what to find out, with all that is needed to know"`
}

// An answered task is what it came to.
type answered struct {
	Answer string `json:"answer"`
	Tokens int    `json:"tokens" jsonschema:"that it took"`
}

// Delegate makes a tool of an agent: its argument is a task in words, its result the
// agent's answer. It claims to read only when all tools of the agent do. The agent's
// own limits bound each task; all tasks together spend from the tokens, the money and
// the time of the run that calls it, whose result and transcript have them too.
func Delegate(spec Spec, a *Agent) Tool {
	spec.Annotations.ReadOnly = true
	for _, t := range a.Tools {
		spec.Annotations.ReadOnly = spec.Annotations.ReadOnly && t.Annotations.ReadOnly
		spec.Annotations.OpenWorld = spec.Annotations.OpenWorld || t.Annotations.OpenWorld
	}
	return NewTool(spec, func(ctx context.Context, in delegated) (answered, error) {
		result, err := a.Run(ctx, in.Task)
		if err != nil {
			return answered{}, err
		}
		return answered{result.Text, result.Usage.Total()}, nil
	})
}
