import * as s from "./src/index.ts";
s.initSync({variant:"base"});
  const random = (seed: number, length: number, scale = 4) => {
    let state = seed;
    return Float64Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state / 2 ** 31 - 0.5) * 2 * scale;
    });
  };
const rows=83,n=6; const x=random(41,rows*n,3); const p=s.softmax(x,{shape:[rows,n]}) as Float64Array;
for(const bins of [1,10,15]) for(let r=0;r<rows;r++){ const m=s.calibrationMeter({bins}).update(x.subarray(r*n,r*n+n),[0]); const c=Math.max(...p.subarray(r*n,r*n+n)); const t=m.table.find(b=>b.count)!; if(Math.abs(t.confidence-c)>1e-15|| c<=t.from|| c>t.to) console.log(bins,r,c,t); }
const inputs={logits:x,probabilities:p,logProbabilities:s.logSoftmax(x,{shape:[rows,n]})} as const;
const A=s.calibrationMeter({bins:10}).update(x,new Int32Array(rows),{shape:[rows,n]});
for(const from of ["logits","probabilities","logProbabilities"] as const) for(const bins of [1,10,15]){ 
  const whole=s.calibrationMeter({bins,from}).update(inputs[from],new Int32Array(rows),{shape:[rows,n]});
  const single=s.calibrationMeter({bins,from}); for(let r=0;r<rows;r++) single.update(inputs[from].subarray(r*n,r*n+n),[0]);
  console.log(from,bins,whole.ece,single.ece, JSON.stringify(whole)===JSON.stringify(single), p.length);
}
for(let r=0;r<rows;r++){ const c=Math.max(...p.subarray(r*n,r*n+n)); const a=s.calibrationMeter({bins:10}).update(x.subarray(r*n,r*n+n),[0]).table.findIndex(b=>b.count); const b2=Math.min(10,Math.ceil(c*10))-1; if(a!==b2) console.log("bin",r,c,a,b2);
 }
for(let r=0;r<rows;r++){ const z=inputs.logProbabilities.subarray(r*n,r*n+n) as Float64Array; const c=Math.max(...p.subarray(r*n,r*n+n)); const m=s.calibrationMeter({bins:1}).update(z,[0]).table[0]!.confidence; if(Math.abs(m-c)>1e-12) console.log(r,c,m,Array.from(z),Array.from(p.subarray(r*n,r*n+n)), s.softmax(z), s.entropy(z,{from:"logits"}), s.entropy(x.subarray(r*n,r*n+n),{from:"logits"})); }
