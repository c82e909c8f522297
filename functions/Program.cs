using System.Net;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Functions.Endpoints;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Triggers;
using DicomServerless.Functions.Viewer;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace DicomServerless.Functions;

/// <summary>The application: every registration and every route.</summary>
internal static class Program
{
    private const int DefaultMaxBodyBytes = 8 * 1024 * 1024 + 1; // of endpoints that take no objects
    private static readonly string[] Reading = ["GET", "HEAD"];

    public static async Task<int> Main(string[] args)
    {
        // Exit code 0 makes the Functions host leave a dead process alone, so it is never ours: the process ends because it was told to, or with an error.
        var problems = new List<string>();
        await using var app = Build(args, problems, (configuration, found) => StorageConnection.Open(configuration, found));
        if (app is null)
        {
            foreach (var problem in problems) await Console.Error.WriteLineAsync("Configuration: " + problem);
            return 1;
        }
        if (args is ["rebuild", ..]) return await RebuildAsync(app);
        try
        {
            await app.RunAsync();
        }
        catch (IOException exception)
        {
            await Console.Error.WriteLineAsync("The port cannot be opened: " + exception.Message);
            return 1;
        }
        return Environment.ExitCode != 0 ? Environment.ExitCode : 143; // as a process that was told to stop by SIGTERM
    }

    // `DicomServerless.Functions rebuild`: makes the index of everything equal its blobs, while the service goes on elsewhere.
    private static async Task<int> RebuildAsync(WebApplication app)
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
    }

    /// <summary>Puts the application together. Null if the configuration has problems.</summary>
    /// <param name="args">Command line: --Key:Name=value.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="openStorage">Opens the stores that the configuration names; null if that has problems.</param>
    /// <param name="configure">More configuration, for tests.</param>
    public static WebApplication? Build(
        string[] args, List<string> problems, Func<IConfiguration, List<string>,
            StorageConnection?> openStorage, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        configure?.Invoke(builder);
        var settings = Settings.Read(builder.Configuration, problems);
        var storage = openStorage(builder.Configuration, problems);
        if (problems.Count > 0 || storage is null) return null;

        AddLogging(builder.Logging, settings.Http.LogFormat);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = DefaultMaxBodyBytes; // store requests set their own
            kestrel.Limits.MaxRequestLineSize = settings.Http.MaxUrlBytes;
            // Scanners encode while they send, so a body may pause; one that stands still for good ends all the same.
            var slowest = new MinDataRate(settings.Http.MinBytesPerSecond, TimeSpan.FromSeconds(settings.Http.SlowSeconds));
            kestrel.Limits.MinRequestBodyDataRate = slowest;
            kestrel.Limits.MinResponseDataRate = slowest;
            // The host dials 127.0.0.1 and nobody else may: said in code, so that a stray ASPNETCORE_URLS cannot win.
            if (settings.HostPort is { } port) kestrel.Listen(IPAddress.Loopback, port);
        });
        var services = builder.Services;
        services.AddSingleton(settings);
        services.AddSingleton(storage);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Func<Guid>>(_ => NewGuid);
        services.AddSingleton(provider => new Telemetry(provider.GetRequiredService<IConfiguration>()));
        services.AddSingleton(provider => new DicomArchive(
            storage.Stores, settings.Archive, provider.GetRequiredService<TimeProvider>(), NewGuid, provider.GetRequiredService<ILogger<DicomArchive>>()));
        services.AddSingleton(provider => new Readiness(storage.Stores, storage.CreateQueuesAsync,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Readiness>>()));
        services.AddHostedService(provider => provider.GetRequiredService<Readiness>());
        services.AddHostedService<ArchiveClosing>();
        if (storage.Uploads is { } uploads)
            services.AddSingleton(provider => new ResumableUploads(uploads.Container, uploads.UrlOf,
                provider.GetRequiredService<DicomArchive>().Store, provider.GetRequiredService<TimeProvider>(), NewGuid));
        services.AddSingleton<EventIntake>();
        services.AddSingleton<EventRecovery>();
        services.AddSingleton<QueryTagJob>();
        services.AddSingleton<SweepJobs>();
        services.AddSingleton(new SearchCursors(storage.Stores.Derived, settings.Http.CursorKey));
        if (settings.HostPort is null)
        {
            services.AddHostedService<SweepTimer>();
            if (settings.Events.Poll && storage.Events is not null) services.AddHostedService<EventPolling>();
        }
        if (settings.Viewer.Enabled
            && ViewerFiles.Open(Path.Combine(AppContext.BaseDirectory, settings.Viewer.Path), settings.Viewer.ConfigurationFile) is { } viewer)
            services.AddSingleton(viewer);
        var cors = Cors.Policy(settings.Http);
        if (cors is not null) services.AddCors(options => options.AddDefaultPolicy(cors));
        // each has its own retries
        services.Configure<HostOptions>(host => host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
        services.AddSingleton<IResponseCompressionProvider, TextCompression>();
        services.AddRateLimiter(limiter => RequestLimits.Apply(limiter, settings.Http));
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = TextCompression.Types; // never pixels
        });
        services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = System.IO.Compression.CompressionLevel.Fastest);

        var app = builder.Build();
        if (settings.HostPort is null)
            foreach (var url in settings.Http.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) app.Urls.Add(url);
        app.Lifetime.ApplicationStarted.Register(() =>
            HostingLog.Listening(app.Logger, string.Join(", ", app.Urls), settings.HostPort is null ? "" : ", under the Functions host"));

        app.UseForwardedHeaders(ForwardedHeaders(settings));
        if (settings.Http.PathBase.Length > 0) app.UsePathBase(settings.Http.PathBase);
        if (cors is not null || settings.Http.CorsByPlatform) app.Use((context, next) => Cors.AddHeadersAsync(context, settings.Http, next));
        if (cors is not null) app.UseCors();
        app.UseMiddleware<RequestEnvelope>();
        app.Use(JoinSlashes);
        if (settings.Http.CompressJson) app.UseResponseCompression();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseMiddleware<ReadinessGate>();

        app.MapMethods("/", Reading, Health.RootAsync);
        app.MapMethods("/health/live", Reading, Health.LiveAsync);
        app.MapMethods("/health/ready", Reading, Health.ReadyAsync);

        app.MapMethods("/viewer/{**path}", Reading, (HttpContext context, string? path) => ViewerPages.FileAsync(context, path));

        const string studies = "/dicomweb/studies", study = studies + "/{study}",
            series = study + "/series/{series}", instance = series + "/instances/{instance}";
        app.MapMethods("/dicomweb", ["GET", "HEAD", "OPTIONS"], CapabilityDocuments.CapabilitiesAsync);
        app.MapMethods("/dicomweb/capabilities", Reading, CapabilityDocuments.CapabilitiesAsync);
        app.MapMethods("/dicomweb/openapi.json", Reading, CapabilityDocuments.OpenApiAsync);

        app.MapPost(studies, Stow.StoreAsync);
        app.MapPost(study, Stow.StoreAsync);
        app.MapPut(instance, Stow.ReplaceAsync);

        app.MapMethods(studies, Reading, Qido.StudiesAsync);
        app.MapMethods(study + "/series", Reading, Qido.SeriesAsync);
        app.MapMethods(study + "/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/series", Reading, Qido.SeriesAsync);
        app.MapMethods(series + "/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/instances", Reading, Qido.InstancesAsync);
        app.MapMethods("/dicomweb/querytags", Reading, QueryTags.ListAsync);

        app.MapMethods(study, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(series, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(instance, Reading, WadoObjects.RetrieveAsync);
        app.MapMethods(study + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(series + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(instance + "/metadata", Reading, WadoMetadata.RetrieveAsync);
        app.MapMethods(instance + "/frames/{frames}", Reading, WadoFrames.RetrieveAsync);
        foreach (var resource in new[] { study, series, instance })
        {
            app.MapMethods(resource + "/bulkdata", Reading, WadoCollections.BulkDataAsync);
            app.MapMethods(resource + "/pixeldata", Reading, WadoCollections.PixelDataAsync);
            app.MapMethods(resource + "/rendered", Reading, WadoRendered.RetrieveAsync);
            app.MapMethods(resource + "/thumbnail", Reading, WadoRendered.ThumbnailAsync);
        }
        app.MapMethods(instance + "/frames/{frames}/rendered", Reading, WadoRendered.FramesAsync);
        app.MapMethods(instance + "/frames/{frames}/thumbnail", Reading, WadoRendered.ThumbnailAsync);
        app.MapMethods("/dicomweb/wado", Reading, WadoUri.RetrieveAsync);
        app.MapMethods(instance + "/bulkdata/{**path}", Reading, WadoBulkData.RetrieveAsync);

        app.MapPost("/dicomweb/uploads", Uploads.BeginAsync);
        app.MapPut("/dicomweb/uploads/{id}/blocks/{number}", Uploads.PutBlockAsync);
        app.MapPost("/dicomweb/uploads/{id}/complete", Uploads.CompleteAsync);

        const string commitment = "/dicomweb/commitment-requests/{transaction}";
        app.MapPost(commitment, Commitment.RequestAsync);
        app.MapMethods(commitment, Reading, Commitment.ResultAsync);

        app.MapDelete(study, Delete.DeleteAsync);
        app.MapDelete(series, Delete.DeleteAsync);
        app.MapDelete(instance, Delete.DeleteAsync);

        if (settings.HostPort is not null)
        {
            app.MapPost("/events-queue", HostTriggers.QueueAsync);
            app.MapPost("/events-grid", HostTriggers.EventGridAsync);
            app.MapPost("/sweep", HostTriggers.SweepAsync);
        }
        return app;
    }

    // Clients that join a base URL and a path send "//studies": it means what it means without the second slash. Trailing slashes are the router's to ignore.
    private static Task JoinSlashes(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is { } path && path.Contains("//", StringComparison.Ordinal))
            context.Request.Path = "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries)) + (path.EndsWith('/') ? "/" : "");
        return next(context);
    }

#pragma warning disable RS0030 // the one place where random ids come from
    private static Guid NewGuid() => Guid.NewGuid();
#pragma warning restore RS0030

    // Everything to stdout: the Functions host takes stderr for errors.
    private static void AddLogging(ILoggingBuilder logging, LogFormat format)
    {
        logging.ClearProviders();
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // Its lines hold whole URLs, and searches hold names: also where somebody asks for more of the framework's.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        if (format == LogFormat.Json) logging.AddJsonConsole(json => json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'");
        else logging.AddSimpleConsole(simple =>
        {
            simple.SingleLine = true;
            simple.ColorBehavior = LoggerColorBehavior.Disabled;
            simple.TimestampFormat = "HH:mm:ss.fff ";
            simple.UseUtcTimestamp = true;
        });
    }

    private static ForwardedHeadersOptions ForwardedHeaders(Settings settings)
    {
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders.All,
            ForwardLimit = null, // each step is checked against the trusted proxies
        };
        options.KnownIPNetworks.Clear();
        options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse("127.0.0.0/8"));
        options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse("::1/128"));
        foreach (var network in settings.Proxies) options.KnownIPNetworks.Add(network);
        return options;
    }
}
