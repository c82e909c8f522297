using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Functions.Triggers;
using DicomServerless.Functions.Viewer;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace DicomServerless.Functions.Hosting;

/// <summary>Every registration.</summary>
internal static class Services
{
    private const int DefaultMaxBodyBytes = 8 * 1024 * 1024 + 1; // of endpoints that take no objects

    public static void Add(IServiceCollection services, IConfiguration configuration, Settings settings, StorageConnection storage)
    {
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = DefaultMaxBodyBytes; // store requests set their own
            kestrel.Limits.MaxRequestLineSize = settings.Http.MaxUrlBytes;
            // Scanners encode while they send, so a body may pause; one that stands still for good ends all the same.
            var slowest = new MinDataRate(settings.Http.MinBytesPerSecond, TimeSpan.FromSeconds(settings.Http.SlowSeconds));
            kestrel.Limits.MinRequestBodyDataRate = slowest;
            kestrel.Limits.MinResponseDataRate = slowest;
        });
        services.AddSingleton(settings);
        services.AddSingleton(storage);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Func<Guid>>(_ => NewGuid);
        Telemetry.Add(services, configuration);
        services.AddSingleton(provider => new DicomArchive(
            storage.Stores, settings.Archive, provider.GetRequiredService<TimeProvider>(), NewGuid, provider.GetRequiredService<ILogger<DicomArchive>>()));
        services.AddSingleton(provider => new Readiness(storage.Stores, storage.CreateQueuesAsync,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Readiness>>()));
        services.AddHostedService(provider => provider.GetRequiredService<Readiness>());
        services.AddHostedService<ArchiveClosing>();
        if (storage.Uploads is { } uploads)
            services.AddSingleton(provider => new ResumableUploads(uploads.Container, uploads.UrlOf,
                provider.GetRequiredService<DicomArchive>().Store, provider.GetRequiredService<TimeProvider>(), NewGuid,
                Math.Max(1, settings.Http.MaxRequests / 4)));
        services.AddSingleton<EventIntake>();
        services.AddSingleton<EventRecovery>();
        services.AddSingleton<QueryTagJob>();
        services.AddSingleton<SweepJobs>();
        services.AddSingleton(new SearchCursors(storage.Stores.Derived, settings.Http.CursorKey));
        if (!settings.IsUnderHost)
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
    }

    /// <summary>Where the log goes. Under the Functions host it goes to the host.</summary>
    public static void AddLogging(ILoggingBuilder logging, Settings settings)
    {
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.Services.PostConfigure<LoggerFilterOptions>(CloseUrls);
        if (settings.IsUnderHost) return;
        logging.ClearProviders();
        if (settings.Http.LogFormat == LogFormat.Json) logging.AddJsonConsole(json => json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'");
        else logging.AddSimpleConsole(simple =>
        {
            simple.SingleLine = true;
            simple.ColorBehavior = LoggerColorBehavior.Disabled;
            simple.TimestampFormat = "HH:mm:ss.fff ";
            simple.UseUtcTimestamp = true;
        });
    }

    // Lines of these hold whole URLs, and searches hold names: also where somebody asks for more of the framework's, for all outputs or for one.
    private static void CloseUrls(LoggerFilterOptions options)
    {
        string[] closed = ["Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Routing"];
        string?[] outputs = [.. options.Rules.Select(rule => rule.ProviderName).Append(null).Distinct()];
        foreach (var category in closed)
        {
            for (var i = options.Rules.Count - 1; i >= 0; i--)
                if (options.Rules[i].CategoryName?.StartsWith(category, StringComparison.OrdinalIgnoreCase) == true) options.Rules.RemoveAt(i);
            foreach (var output in outputs) options.Rules.Add(new LoggerFilterRule(output, category, LogLevel.Warning, null));
        }
    }

#pragma warning disable RS0030 // the one place where random ids come from
    private static Guid NewGuid() => Guid.NewGuid();
#pragma warning restore RS0030
}
