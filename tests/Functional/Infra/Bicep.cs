using System.Diagnostics;
using System.Reflection;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Infra;

/// <summary>The Bicep compiler, out of the package that this project names, so that nothing has to be installed.</summary>
internal static class Bicep
{
    private static readonly string Program = typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "Bicep").Value!;

    /// <summary>The folder of the sources.</summary>
    public static string Sources { get; } = Path.Combine(Repository.Root, "infra");

    /// <summary>Runs the compiler and returns what it prints. Warnings go to the error output and leave the exit status 0: here they are errors too.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, complaints) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.Equal("", await complaints);
        Assert.Equal(0, process.ExitCode);
        return await said;
    }
}
