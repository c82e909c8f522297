using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Functions.Hosting;
using Microsoft.Azure.Functions.Worker.Builder;

namespace DicomServerless.Functions;

/// <summary>Starts the program: as a worker of the Functions host, on its own, or for a rebuild.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var problems = new List<string>();
        // An argument and no environment variable: those are inherited by whatever a worker starts.
        var isUnderHost = args.Contains("--functions-uri");
        using var app = isUnderHost ? BuildWorker(args, problems) : Build(args, problems, StorageConnection.Open);
        if (app is null)
        {
            foreach (var problem in problems) await Console.Error.WriteLineAsync("Configuration: " + problem);
            return 1;
        }
        if (args is ["rebuild", ..]) return await RebuildAsync(app);
        var stopping = app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to end before it had started.
        }
        catch (IOException exception)
        {
            await Console.Error.WriteLineAsync("The port cannot be opened: " + exception.Message);
            return 1;
        }
        // The host asks its worker to end, which then ends well; on its own it is as a process that was told to stop by SIGTERM.
        return Environment.ExitCode != 0 || isUnderHost ? Environment.ExitCode : 143;
    }

    // `DicomServerless.Functions rebuild`: makes the index of everything equal its blobs, while the service goes on elsewhere.
    private static async Task<int> RebuildAsync(IHost app)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        var archive = app.Services.GetRequiredService<DicomArchive>();
        try
        {
            await archive.Stores.CreateIfAbsentAsync(stop.Token);
            var rebuilt = await archive.Rebuild.RunAsync(stop.Token);
            QueryTagRun tags;
            do tags = await archive.QueryTags.RunAsync(stop.Token);
            while (tags is { IsFinished: false, Failed: 0 });
            await archive.CloseAsync();
            var failed = rebuilt.Failed + tags.Failed;
            if (failed == 0)
            {
                await Console.Out.WriteLineAsync(rebuilt.IsContinued
                    ? $"The rest of a rebuild that was cut off is done; {rebuilt.Changed} instances differed. Run rebuild again to look at what came in since "
                        + "that one began."
                    : $"The index equals the blobs; {rebuilt.Changed} instances differed.");
                return 0;
            }
            await Console.Error.WriteLineAsync($"{rebuilt.Changed} instances differed. {failed} studies or blobs could not be brought in line; the log "
                + $"says why. Run rebuild again when the reason is gone.");
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped. The next rebuild goes on from here.");
            return 1;
        }
        catch (Exception exception)
        {
            // A study that fails is passed over; without a listing, or without storage at all, there is nothing to go on with.
            await Console.Error.WriteLineAsync($"The rebuild ended early: {HostingLog.Reason(exception)}. The next rebuild goes on from here.");
            return 1;
        }
    }

    /// <summary>Puts the program together that runs without the Functions host. Null if the configuration has problems.</summary>
    /// <param name="args">Command line: --Key:Name=value.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="openStorage">Opens the stores that the configuration names; null if that has problems.</param>
    /// <param name="configure">More configuration, for tests.</param>
    public static WebApplication? Build(string[] args, List<string> problems, Func<IConfiguration, List<string>, StorageConnection?> openStorage,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        configure?.Invoke(builder);
        if (Configure(builder, openStorage, problems, isUnderHost: false) is not { } settings) return null;
        var app = builder.Build();
        foreach (var url in settings.Http.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) app.Urls.Add(url);
        app.Lifetime.ApplicationStarted.Register(() => HostingLog.Listening(app.Logger, string.Join(", ", app.Urls), ""));
        Pipeline.Use(app, settings);
        return app;
    }

    // The worker has a server and routes of its own; its HTTP functions hand requests to our pipeline.
    private static IHost? BuildWorker(string[] args, List<string> problems)
    {
        var builder = FunctionsApplication.CreateBuilder(args);
        builder.ConfigureFunctionsWebApplication();
        if (Configure(builder, StorageConnection.Open, problems, isUnderHost: true) is null) return null;
        builder.Services.AddRouting();
        builder.Services.AddSingleton<WorkerPipeline>();
        return builder.Build();
    }

    private static Settings? Configure(
        IHostApplicationBuilder builder, Func<IConfiguration, List<string>, StorageConnection?> openStorage, List<string> problems, bool isUnderHost)
    {
        var settings = Settings.Read(builder.Configuration, isUnderHost, problems);
        var storage = openStorage(builder.Configuration, problems);
        if (problems.Count > 0 || storage is null) return null;
        Services.AddLogging(builder.Logging, settings);
        Services.Add(builder.Services, builder.Configuration, settings, storage);
        return settings;
    }
}
