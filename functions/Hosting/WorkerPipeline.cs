namespace DicomServerless.Functions.Hosting;

/// <summary>The pipeline of requests under the Functions host, where the server's own is the worker's.</summary>
internal sealed class WorkerPipeline
{
    // A function that runs into the host's functionTimeout (host.json) costs the worker with every other request in it: ours end before.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(29);

    private readonly RequestDelegate pipeline;

    /// <summary>Puts it together.</summary>
    /// <param name="services">The program's services.</param>
    public WorkerPipeline(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        Pipeline.Use(app, services.GetRequiredService<Settings>());
        pipeline = app.Build();
    }

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request; it is answered when the task ends.</param>
    public async Task InvokeAsync(HttpContext context)
    {
        using var limit = new CancellationTokenSource(Longest);
        await using var ending = limit.Token.Register(context.Abort);

        // What the worker has routed to is its function; here routing begins anew.
        context.SetEndpoint(null);
        context.Request.RouteValues.Clear();
        await pipeline(context);
    }
}
