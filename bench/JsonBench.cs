using System.Buffers;
using BenchmarkDotNet.Attributes;
using DicomServerless.Dicom;

namespace DicomServerless.Bench;

/// <summary>Metadata of a real CT header: <c>dotnet run -c Release --project bench -- --filter '*JsonBench*'</c>. Divide by <see cref="Elements"/>.</summary>
[MemoryDiagnoser]
public class JsonBench
{
    private readonly ArrayBufferWriter<byte> output = new(1 << 20);
    private DataSet header = DataSet.Empty;

    /// <summary>Elements in the header, nested ones included (printed by <see cref="Setup"/>).</summary>
    private int Elements { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var file = Environment.GetEnvironmentVariable("BENCH_SAMPLE") ?? FindSample();
        using var scanner = new InstanceScanner();
        scanner.Push(File.ReadAllBytes(file));
        if (scanner.Complete() != ScanStatus.Complete) throw new InvalidOperationException(scanner.Error?.Message);
        header = scanner.Result!.DataSet;
        Elements = header.End;
        Console.WriteLine($"// {Elements} elements and items in {file}");
    }

    [Benchmark]
    public int Write()
    {
        output.ResetWrittenCount();
        DicomJsonWriter.Write(header, output);
        return output.WrittenCount;
    }

    private static string FindSample()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "DicomServerless.sln"))) folder = folder.Parent;
        return Path.Combine(folder.FullName, "tests/Samples/ct-small.dcm");
    }
}
